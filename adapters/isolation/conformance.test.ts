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

engineConformance({
  name: 'engine/wasm in a worker',
  async open() {
    opened[0] ??= await isolateEngine(new URL('../engine/wasm/index.ts', import.meta.url), {
      deadlineMs: 20_000,
      exportName: 'createWasmEngine',
    })
    return opened[0]
  },
})

registerLaws('plugin', pluginLaws, {
  ...accessSubject,
  name: 'plugin/access in a worker',
  plugin: access,
})
