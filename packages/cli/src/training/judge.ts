import { ArgumentError, NumericalError } from '@gmml/tensor';
import type { FinishedRun } from '../htmlReport/finishedRun.js';
import { knownOutputs, type OnProgress } from '../openSet/knownOutputs.js';
import { openSetFindings, type OpenSetFindings, type OpenSetReport } from '../openSet/openSetReport.js';
import type { Reporter } from '../progress/reporter.js';

/** A run whose network is trained. */
export type TrainedRun = Omit<FinishedRun, 'outputs' | 'openSet' | 'noOpenSet'>;

/**
 * Makes the open-set report of a trained network and writes the page of figures, of each what was asked for. Where features
 * are too few or too little varied for an open-set report, the reporter is warned and there is none: a network that was
 * trained is not lost for that.
 *
 * @throws ArgumentError when the page cannot be written
 */
export async function judge(run: TrainedRun, reporter: Reporter): Promise<OpenSetReport | undefined> {
  const { network, digits, settings } = run;
  if (!settings.openSet && settings.report === undefined) return undefined;
  const onProgress: OnProgress = (progress) => reporter.testing(progress);
  const outputs = knownOutputs(network, digits, settings, onProgress);
  let openSet: OpenSetFindings | undefined;
  let noOpenSet: string | undefined;
  if (settings.openSet) {
    try {
      openSet = openSetFindings(network, digits, outputs, settings, onProgress);
    } catch (error) {
      if (!(error instanceof NumericalError || error instanceof ArgumentError)) throw error;
      noOpenSet = error.message;
      reporter.warn(`no open-set report: ${error.message}`);
    }
  }
  if (openSet) reporter.openSet(openSet.report);
  if (settings.report !== undefined) {
    // What draws is loaded only where there is something to draw.
    const { writeHtmlReport } = await import('../htmlReport/writeHtmlReport.js');
    writeHtmlReport(settings.report, { ...run, outputs, openSet, noOpenSet });
    reporter.reported(settings.report);
  }
  return openSet?.report;
}
