// Icons of three packages by their names, and how many there are.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { formatISO } from 'date-fns';
import express from 'express';
import lodash from 'lodash';
import { firstValueFrom, of } from 'rxjs';

const folder = (path) => join(import.meta.dirname, 'node_modules', path);
const sets = {
  mdi: folder('@mdi/svg/svg'),
  tabler: folder('@tabler/icons/icons/outline'),
  simple: folder('simple-icons/icons'),
};

const app = express();
for (const [name, dir] of Object.entries(sets)) app.use(`/${name}`, express.static(dir));
app.get('/', async (_request, response) => {
  const counts = lodash.mapValues(sets, (dir) => readdirSync(dir).length);
  response.json(await firstValueFrom(of({ counts, at: formatISO(new Date()) })));
});
const server = app.listen(8080, () => console.log('listening'));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
