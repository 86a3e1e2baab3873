import fs from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { execFileSync, spawn } from 'node:child_process';
import { writeWhole } from '@gmml/nn/wholeFile';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../data/idxFiles.js';

const bytes = new TextEncoder().encode('whole');

test('replaces a file and leaves nothing beside it', () => {
  const path = join(temporaryFolder(), 'file');
  for (const before of ['', 'something longer than that']) {
    fs.writeFileSync(path, before);
    writeWhole(fs, path, bytes);
    expect(fs.readFileSync(path, 'utf8')).toBe('whole');
  }
  expect(fs.readdirSync(join(path, '..'))).toEqual(['file']);
});

test('a file that it replaces keeps its permissions', () => {
  const path = join(temporaryFolder(), 'file');
  for (const mode of [0o600, 0o664, 0o444]) {
    fs.rmSync(path, { force: true });
    fs.writeFileSync(path, 'secret');
    fs.chmodSync(path, mode);
    writeWhole(fs, path, bytes);
    expect((fs.statSync(path).mode & 0o777).toString(8)).toBe(mode.toString(8));
  }
});

test('a link stays a link, to the new content', () => {
  const folder = temporaryFolder();
  const [file, link] = [join(folder, 'file'), join(folder, 'link')];
  fs.writeFileSync(file, 'before');
  fs.symlinkSync('file', link);
  writeWhole(fs, link, bytes);
  expect(fs.lstatSync(link).isSymbolicLink()).toBe(true);
  expect(fs.readFileSync(file, 'utf8')).toBe('whole');
});

test('a pipe stays a pipe, whose reader gets the bytes', async () => {
  const folder = temporaryFolder();
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const reader = spawn('cat', [pipe]);
  const read = text(reader.stdout);
  writeWhole(fs, pipe, bytes);
  expect(await read).toBe('whole');
  expect(fs.statSync(pipe).isFIFO()).toBe(true);
  expect(fs.readdirSync(folder)).toEqual(['pipe']);
});

test('a folder is an error, and so is a folder that is not there', () => {
  const folder = temporaryFolder();
  expect(() => writeWhole(fs, folder, bytes)).toThrow(/^EISDIR/);
  expect(() => writeWhole(fs, join(folder, 'none', 'file'), bytes)).toThrow(/^ENOENT/);
  expect(fs.readdirSync(folder)).toEqual([]);
});
