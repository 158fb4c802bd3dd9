// The addon inside the compiled binary (a file of its virtual /$bunfs). Imported by main.ts alone: other runtimes and vite
// cannot import such a file. Asked for only where it is needed it would cost every command 0.4 ms, as a second way to load
// modules.
import addonFile from '../../build/Release/addon.node' with { type: 'file' };
import { setEmbeddedAddon } from './addon.ts';

setEmbeddedAddon(addonFile);
