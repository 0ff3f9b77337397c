/** A vitest reporter that leaves the counts in the file `ASSAY_VERIFY_REPORT` for test/verify.ts. */
import { writeFileSync } from 'node:fs'
import type { Reporter, TestModule } from 'vitest/node'

export interface Report {
  readonly passed: number
  /** Names of failed tests, and of files and suites that broke outside a test. */
  readonly failed: readonly string[]
  readonly notRun: readonly { readonly name: string; readonly reason: string }[]
}

export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const report = count(modules)
    const failed = [...report.failed, ...unhandled.map((_, i) => `unhandled error ${i + 1}`)]
    const path = process.env.ASSAY_VERIFY_REPORT
    if (path !== undefined) writeFileSync(path, JSON.stringify({ ...report, failed }))
  }
}

function count(modules: readonly TestModule[]): Report {
  let passed = 0
  const failed: string[] = []
  const notRun: { name: string; reason: string }[] = []
  for (const module of modules) {
    if (module.errors().length > 0) failed.push(module.moduleId)
    for (const suite of module.children.allSuites())
      if (suite.errors().length > 0) failed.push(suite.fullName)
    for (const test of module.children.allTests()) {
      const name = `${module.relativeModuleId} > ${test.fullName}`
      const result = test.result()
      if (result.state === 'passed') passed++
      else if (result.state === 'failed') failed.push(name)
      else notRun.push({ name, reason: ('note' in result && result.note) || 'no reason given' })
    }
  }
  return { passed, failed, notRun }
}
