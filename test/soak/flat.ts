import type { SteadyReport } from './steady.ts'

/** A heap that has not found its size yet looks like one that grows: short runs get more room. */
const SHORT_ROOM_MIB = 128
const LONG_ROOM_MIB = 48
const LONG_SECONDS = 1800
const MORE_FILES = 12

/** What is not flat, or not as it should be. */
export function problemsOf(report: SteadyReport, seconds: number): readonly string[] {
  const [rss, lastRss] = report.rssMiB
  const [files, lastFiles] = report.files
  const room = seconds < LONG_SECONDS ? SHORT_ROOM_MIB : LONG_ROOM_MIB
  return [
    ...(lastRss > rss + room ? [`memory grew from ${rss} to ${lastRss} MiB`] : []),
    ...(lastFiles > files + MORE_FILES ? [`open files grew from ${files} to ${lastFiles}`] : []),
    ...Object.entries(report.unexpected).map(([what, count]) => `${count} times ${what}`),
    ...(report.decided < seconds ? [`${report.decided} decisions in ${seconds} seconds`] : []),
    ...(report.swaps === 0 ? ['no policy was swapped'] : []),
    ...(report.fsck.startsWith('valid') ? [] : [report.fsck]),
  ]
}
