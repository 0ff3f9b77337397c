/** The KMS custody on LocalStack as a subject. Each one has a prefix of its own, and a network in between that can be made silent. */
import { randomBytes } from 'node:crypto'
import { systemClock } from '../../../adapters/clock/system.ts'
import { type KmsCustodyOptions, openKmsCustody } from '../../../adapters/custody/kms/index.ts'
import { localstack } from '../../backends/localstack.ts'
import { type FaultProxy, faultProxy } from '../../backends/proxy.ts'
import { reopened } from './reopened.ts'
import { type CustodySubject, type OpenedCustody, SCOPES } from './subject.ts'

export interface OpenedKms extends OpenedCustody {
  readonly proxy: FaultProxy
  readonly options: KmsCustodyOptions
}

/** LocalStack takes every credential; twelve digits are an account of their own. Vitest gives each test file a process of its own. */
export function useAccount(): void {
  const digits = randomBytes(6).readUIntBE(0, 6).toString().padStart(12, '1')
  process.env.AWS_ACCESS_KEY_ID = digits.slice(0, 12)
  process.env.AWS_SECRET_ACCESS_KEY = 'test'
}

export async function openKms(changed: Partial<KmsCustodyOptions> = {}): Promise<OpenedKms> {
  const { endpoint: target, region } = await localstack()
  const proxy = await faultProxy(target)
  const prefix = `t${randomBytes(6).toString('hex')}`
  const options: KmsCustodyOptions = {
    region,
    endpoint: proxy.url,
    prefix,
    scopes: SCOPES,
    timeoutMs: 3000,
    maxAgeMs: 200,
    clock: systemClock,
    ...changed,
  }
  const opened = await reopened(() => openKmsCustody(options), {
    async stall() {
      proxy.fault = () => 'hang'
      return async () => {
        proxy.fault = () => undefined
      }
    },
    dispose: () => proxy.close(),
  })
  return Object.assign(opened, { proxy, options })
}

export const kmsSubject: CustodySubject = {
  name: 'custody/kms',
  backend: 'emulator',
  algorithms: ['ecdsa-p256'],
  open: openKms,
}
