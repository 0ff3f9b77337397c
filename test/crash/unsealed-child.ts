/** A server whose signer never answers: decides once, says so on standard output, and waits to be killed. */
import { compose } from '../../adapters/compose.ts'
import { loadConfig } from '../../adapters/config/load.ts'
import { openFileCustody } from '../../adapters/custody/file/index.ts'
import { CustodyError } from '../../core/error.ts'
import type { Custody } from '../../core/ports/custody.ts'
import { Payload } from '../../core/request.ts'

const [data = ''] = process.argv.slice(2)
const config = await loadConfig({ data })
const keys = await openFileCustody({ dir: `${data}/keys` })
const down: Custody = {
  name: 'down',
  scopes: keys.scopes,
  algorithms: keys.algorithms,
  maxMessageBytes: keys.maxMessageBytes,
  list: (scope) => keys.list(scope),
  create: (scope, name, algorithm) => keys.create(scope, name, algorithm),
  transition: (key, state) => keys.transition(key, state),
  sign: () => Promise.reject(new CustodyError('down', 'unavailable', 'the signer is down')),
  close: () => keys.close(),
}
const { kernel } = await compose(config, {
  watch: false,
  parts: [{ port: 'custody', open: () => down }],
})
const payload = Payload.fromJson({
  subject: { type: 'user', id: 'ada' },
  action: { name: 'read' },
  resource: { type: 'checkpoint', id: 'ckpt-7-0041' },
})
const { allow, id, seal } = await kernel.decide({ action: 'access.evaluate', payload })
process.stdout.write(
  `${JSON.stringify({ allow, id, seal, problems: kernel.readiness().problems })}\n`,
)
setInterval(() => undefined, 1000)
