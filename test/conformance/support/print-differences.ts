/** Writes the table of known differences into the documentation. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { differencesTable } from './differences.ts';

const path = join(import.meta.dirname, '../../../docs/reference/embedded-cluster.md');
const marked = /(<!-- differences -->\n)[\s\S]*(\n<!-- \/differences -->)/;
writeFileSync(
  path,
  readFileSync(path, 'utf8').replace(
    marked,
    (_, head: string, tail: string) => `${head}\n${differencesTable()}\n${tail}`,
  ),
);
