/** In a worker, an engine and a plugin owe what they owe outside of it. */
import { afterAll } from 'vitest'
import { accessSubject } from '../../test/conformance/access-subject.ts'
import { engineConformance } from '../../test/conformance/engine.ts'
import { registerLaws } from '../../test/conformance/laws.ts'
import { pluginLaws } from '../../test/conformance/plugin.ts'
import { type IsolatedEngine, isolateEngine, isolatePlugin } from './worker.ts'

const opened: IsolatedEngine[] = []
const access = await isolatePlugin(new URL('../../plugins/access/facts.ts', import.meta.url), {
  deadlineMs: 20_000,
  exportName: 'access',
})
afterAll(() => Promise.all([access.close(), ...opened.map((engine) => engine.close())]))

const ENGINES = { jit: 'createJitEngine', wasm: 'createWasmEngine' } as const
for (const [kind, exportName] of Object.entries(ENGINES)) {
  let engine: IsolatedEngine | undefined
  engineConformance({
    name: `engine/${kind} in a worker`,
    async open() {
      if (engine !== undefined) return engine
      const module = new URL(`../engine/${kind}/index.ts`, import.meta.url)
      engine = await isolateEngine(module, { deadlineMs: 20_000, exportName })
      opened.push(engine)
      return engine
    },
  })
}

registerLaws('plugin', pluginLaws, {
  ...accessSubject,
  name: 'plugin/access in a worker',
  plugin: access,
})
