// Path of the addon inside the compiled binary (a file of its virtual /$bunfs). Reached by addon.ts in that binary alone:
// other runtimes and vite cannot import such a file.
import addonFile from '../../build/Release/addon.node' with { type: 'file' };

export const EMBEDDED_ADDON: string = addonFile;
