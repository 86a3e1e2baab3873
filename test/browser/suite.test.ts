// Which tests run in Chromium too. They are vitest's projects 'browser reference' and 'browser wasm'.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import config from '../../vitest.config.js';
import { findChromium } from './findChromium.mjs';
import { NOT_IN_CHROMIUM } from './suite.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('the tests of tensor, nn and gmm run in Chromium too', (context) => {
  context.skip(findChromium() === undefined, 'no Chromium');
  const names = config.test?.projects?.map((project) =>
    typeof project === 'object' && 'test' in project ? project.test?.name : project,
  );
  expect(names).toEqual(['reference', 'wasm', 'browser']);
});

test('what does not run there is there', () => {
  const paths = Object.keys(NOT_IN_CHROMIUM).map((path) => path.replace('/**', ''));
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test('what runs there imports nothing of Node', () => {
  const excluded = Object.keys(NOT_IN_CHROMIUM).map((path) => path.replace('**', ''));
  const files = ['tensor', 'nn', 'gmm'].flatMap((name) =>
    readdirSync(join(root, 'test', name), { recursive: true, encoding: 'utf8' })
      .map((file) => `test/${name}/${file.replaceAll('\\', '/')}`)
      .filter((path) => path.endsWith('.test.ts') && !excluded.some((start) => path.startsWith(start))),
  );
  expect(files.length).toBeGreaterThan(40);
  const ofNode = files.filter((path) =>
    /\bfrom '(?:node:|@gmml\/data)/.test(readFileSync(join(root, path), 'utf8')),
  );
  expect(ofNode).toEqual([]);
});
