// What a bundle for a page holds: nothing of Node, no code from strings, and nothing that was not imported.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

interface Bundle {
  readonly text: string;
  /** The files that gave it code, as 'tensor/tensor.js' is one of the build, without what is loaded later. */
  readonly files: readonly string[];
  readonly externals: readonly string[];
}

/** What a page can import: all but ndarray, which makes code from strings. */
const pageEntries = ['tensor', 'nn', 'gmm', 'onnx'].flatMap((name) => {
  const manifest = new URL(`../../packages/${name}/package.json`, import.meta.url);
  const { exports }: { exports: object } = JSON.parse(readFileSync(manifest, 'utf8'));
  return Object.keys(exports)
    .map((path) => `@gmml/${name}${path.slice(1)}`)
    .filter((entry) => entry !== '@gmml/tensor/ndarray');
});

async function bundle(contents: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    metafile: true,
    outdir: 'out',
    logLevel: 'silent',
  });
  const outputs = Object.values(metafile.outputs);
  const entries = Object.keys(metafile.outputs).filter(
    (path) => metafile.outputs[path].entryPoint === '<stdin>',
  );
  const loaded = new Set<string>();
  const load = (path: string): void => {
    if (loaded.has(path)) return;
    loaded.add(path);
    for (const { kind, path: to } of metafile.outputs[path].imports)
      if (kind === 'import-statement') load(to);
  };
  for (const path of entries) load(path);
  const files = [...loaded].flatMap((path) =>
    Object.entries(metafile.outputs[path].inputs)
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([file]) => file.replace(/^.*packages\/(\w+)\/dist\//, '$1/')),
  );
  const externals = outputs.flatMap(({ imports }) => imports.filter(({ external }) => external));
  return {
    text: outputFiles.map(({ text }) => text).join('\n'),
    files,
    externals: externals.map(({ path }) => path),
  };
}

test.each(pageEntries)(
  '%s builds for a page, without modules of Node and without code from strings',
  async (name) => {
    const { text, externals } = await bundle(`export * from '${name}';`);
    expect(externals).toEqual([]);
    // With an argument: Module has a method eval().
    expect(
      text.match(/\bFunction\s*\(|(?<![.\w])eval\s*\((?!\))|\bfrom\s*"node:|\bimport\s*\("node:/g),
    ).toBeNull();
  },
);

test('only @gmml/tensor/ndarray makes code from strings, by ndarray', async () => {
  expect((await bundle("export * from '@gmml/tensor/ndarray';")).text).toContain('new Function');
});

test.each([
  // Most of an op is in a method of Tensor: who has tensors has all of those.
  { imports: "{ Generator } from '@gmml/tensor'", without: /tensor\.js|ops\/|kernels\// },
  { imports: "{ tensor } from '@gmml/tensor'", without: /gradcheck|allClose|functional|kernels\/wasm/ },
  {
    imports: "{ Linear } from '@gmml/nn'",
    without: /nn\/(?:optim|safetensors|losses)|layers\/(?:conv|pool|batch|drop)/,
  },
  { imports: "{ GaussianMixture } from '@gmml/gmm'", without: /^nn\/|gmm\/(?:openSet|gmml|fit|statistics)/ },
  {
    imports: "{ OpenSetClassifier } from '@gmml/gmm'",
    without: /nn\/(?:optim|layers|losses)|gmm\/(?:gmml|gaussianMixture)/,
  },
])('a bundle with $imports has nothing of $without', async ({ imports, without }) => {
  const { files } = await bundle(`export ${imports};`);
  expect(files).not.toEqual([]);
  expect(files.filter((file) => without.test(file))).toEqual([]);
});

test('a bundle of packages whose exports nobody uses is empty', async () => {
  const { files } = await bundle("import '@gmml/tensor'; import '@gmml/nn'; import '@gmml/gmm';");
  expect(files).toEqual([]);
});
