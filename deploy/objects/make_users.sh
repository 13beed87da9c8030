#!/bin/sh
# The accounts of the object store; what each may do stands in the buckets' policies beside this.
set -eu
make() {
    versitygw admin create-user --access "$1" --secret "$2" --role user ||
        versitygw admin update-user --access "$1" --secret "$2" # it is there: its secret is renewed
}
make "$RUNS_ACCESS_KEY" "$RUNS_SECRET_KEY"
make "$DVC_WRITER_ACCESS_KEY" "$DVC_WRITER_SECRET_KEY"
make "$DVC_READER_ACCESS_KEY" "$DVC_READER_SECRET_KEY"
