// A vitest reporter that writes how many tests passed and failed, and which were skipped, for test.mjs.
import { writeFileSync } from 'node:fs';

export default class CountsReporter {
  onTestRunEnd(testModules) {
    const tests = testModules.flatMap((testModule) => [...testModule.children.allTests()]);
    const inState = (state) => tests.filter((test) => test.result().state === state);
    const counts = {
      passed: inState('passed').length,
      failed: inState('failed').length + testModules.filter(failedOutsideTests).length,
      skipped: inState('skipped').map(describeSkip),
    };
    writeFileSync(process.env.GMML_TEST_COUNTS, JSON.stringify(counts));
  }
}

/** A file that did not load, or whose hooks failed: one failure, unless tests of it failed anyway. */
function failedOutsideTests(testModule) {
  return testModule.state() === 'failed' && [...testModule.children.allTests('failed')].length === 0;
}

function describeSkip(test) {
  const { note } = test.result();
  return `${test.module.relativeModuleId} > ${test.fullName}${note ? ` (${note})` : ''}`;
}
