// Runs compiled programs one after the other, each from the same random numbers, and prints what differs from the documentation.
//
//   node runPrograms.mjs '[{ "module": "/…/0.js", "place": "README.md:10" }]'
import { pathToFileURL } from 'node:url';
import { manualSeed, useBackend } from '@gmml/tensor';

const { takeResults } = await import('./.programs/shown.js');
const problems = [];
const programs = JSON.parse(process.argv[2]);
for (const { module, place } of programs) {
  manualSeed(0);
  // oxlint-disable-next-line no-await-in-loop -- programs follow one another
  await useBackend('reference');
  try {
    // oxlint-disable-next-line no-await-in-loop -- programs follow one another
    await import(pathToFileURL(module).href);
  } catch (error) {
    problems.push(`${place}: the program fails: ${error.stack}`);
  }
  problems.push(...takeResults().problems);
}
console.log(`\n${JSON.stringify({ problems })}`);
