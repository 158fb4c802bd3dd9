#!/bin/sh
# embed-helper.sh HELPER IMAGE.S: builds the helper executable, and an assembler source that includes it byte for byte.
# The source is written anew each time, so that the addon is linked again whenever the helper was.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
helper=$1
image=$2
sh "$here/../helper/build.sh" "$helper"
mkdir -p "$(dirname "$image")"
full=$(cd "$(dirname "$helper")" && pwd)/$(basename "$helper")
cat > "$image" <<END
  .section .rodata
  .balign 16
  .global skiff_helper_image
  .hidden skiff_helper_image
  .global skiff_helper_image_end
  .hidden skiff_helper_image_end
skiff_helper_image:
  .incbin "$full"
skiff_helper_image_end:
  .byte 0
  .section .note.GNU-stack, "", %progbits
END
