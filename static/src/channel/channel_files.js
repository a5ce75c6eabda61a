import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { fileUploadKanbanView } from "@account/views/file_upload_kanban/file_upload_kanban_view";
import { fileUploadListView } from "@account/views/file_upload_list/file_upload_list_view";

/**
 * Files of channels are dropped on their list, as documents on those of accounting.
 */
const withDropZone = (Renderer) =>
    class extends Renderer {
        setup() {
            super.setup();
            this.dropZoneTitle = _t("Drop the files of your channels.");
        }

        onPaste() {
            // Text is pasted into filters only; files of channels are never on the clipboard.
        }
    };

registry.category("views").add("sale_return_channel_files", {
    ...fileUploadListView,
    Renderer: withDropZone(fileUploadListView.Renderer),
});
registry.category("views").add("sale_return_channel_files_kanban", {
    ...fileUploadKanbanView,
    Renderer: withDropZone(fileUploadKanbanView.Renderer),
});
