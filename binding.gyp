# Two targets. `helper`: the static executable that becomes the parent of a container, and an assembler source that
# embeds it. `addon`: the N-API module that holds the helper. Needs no C++ library at run time and glibc 2.17 or later.
{
  'variables': {
    'addon_api': '<!(node -p "path.resolve(require(\'node-addon-api\').include_dir)")',
    'helper_sources': [
      '<!@(find native/helper native/common -type f)',
    ],
  },
  'targets': [
    {
      'target_name': 'helper',
      'type': 'none',
      'actions': [
        {
          'action_name': 'embed_helper',
          'inputs': ['native/addon/embed-helper.sh', '<@(helper_sources)'],
          'outputs': ['<(SHARED_INTERMEDIATE_DIR)/skiff-helper', '<(SHARED_INTERMEDIATE_DIR)/helper-image.S'],
          'action': [
            'sh',
            'native/addon/embed-helper.sh',
            '<(SHARED_INTERMEDIATE_DIR)/skiff-helper',
            '<(SHARED_INTERMEDIATE_DIR)/helper-image.S',
          ],
        },
      ],
    },
    {
      'target_name': 'addon',
      'dependencies': ['helper'],
      'sources': [
        'native/addon/addon.cc',
        'native/addon/errors.cc',
        'native/addon/files.cc',
        'native/addon/folders.cc',
        'native/addon/no-exceptions.cc',
        'native/addon/process.cc',
        'native/addon/sha256.cc',
        'native/addon/tree.cc',
        'native/addon/tree-many.cc',
        'native/addon/tree-paths.cc',
        'native/addon/tree-read.cc',
        'native/addon/tree-remove.cc',
        '<(SHARED_INTERMEDIATE_DIR)/helper-image.S',
      ],
      'include_dirs': ['native'],
      'defines': ['NAPI_VERSION=8', 'NAPI_DISABLE_CPP_EXCEPTIONS'],
      # Every command that needs it copies it to memory first: small is fast. What takes time in it is the kernel's.
      'cflags!': ['-O3'],
      'cflags': ['-Os', '-Wall', '-Wextra', '-Werror', '-fvisibility=hidden', '-isystem', '<(addon_api)'],
      'cflags_cc': ['-std=c++17', '-fno-exceptions', '-fno-rtti', '-ffunction-sections', '-fdata-sections'],
      'ldflags': ['-static-libstdc++', '-static-libgcc', '-Wl,--exclude-libs,ALL', '-Wl,--gc-sections', '-s'],
    },
  ],
}
