const LONGEST_SIDE = 1600;
const QUALITY = 0.85;

const readAsBase64 = (blob) =>
    new Promise((resolve, reject) => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result.split(",")[1]);
        reader.onerror = () => reject(reader.error);
        reader.readAsDataURL(blob);
    });

/** A photo of 1600 px shows every scratch, and goes through a warehouse's radio in a second. */
async function shrink(file) {
    const bitmap = await createImageBitmap(file);
    const ratio = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(bitmap.width * ratio);
    canvas.height = Math.round(bitmap.height * ratio);
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
}

/**
 * Read a picture that the camera took, not larger than needed.
 *
 * @param {File} file
 * @returns {Promise<{name: string, datas: string}>} datas in base64
 */
export async function readPhoto(file) {
    let blob = null;
    try {
        blob = await shrink(file);
    } catch {
        // Not a picture this browser can draw: the server says whether it takes it.
    }
    const name = blob ? file.name.replace(/\.\w+$/, "") + ".jpg" : file.name;
    return { name, datas: await readAsBase64(blob || file) };
}
