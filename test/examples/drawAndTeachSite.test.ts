// examples/draw-and-teach/buildSite.mjs: what it refuses.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runBuilt } from '../cli/process.js';
import { temporaryFolder } from '../data/idxFiles.js';

const PROGRAM = 'examples/draw-and-teach/buildSite.mjs';

test('a folder that holds something else is not emptied for the site', async () => {
  const data = temporaryFolder();
  for (const name of ['model.safetensors', 'digits.bin']) writeFileSync(join(data, name), '');
  const site = join(data, 'letters');
  mkdirSync(site);
  writeFileSync(join(site, 'first.txt'), 'Dear Ada');
  const { code, stderr } = await runBuilt(PROGRAM, [data, site]);
  expect(stderr).toBe(
    `buildSite: the site's folder must be new, empty, or a site that was built before: ${site} holds something else.\n`,
  );
  expect(code).toBe(1);
  expect(readdirSync(site)).toEqual(['first.txt']);
});

test('a site without a model is not begun', async () => {
  const folder = temporaryFolder();
  const site = join(folder, 'site');
  const { code, stderr } = await runBuilt(PROGRAM, [folder, site]);
  expect(stderr).toBe(`buildSite: ${join(folder, 'model.safetensors')} is missing: npm run demo makes it.\n`);
  expect(code).toBe(1);
  expect(readdirSync(folder)).toEqual([]);
});
