/** Ada's questions about the checkpoints of the example state, and the policies under which she may read those of others and not her own. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { OWN_POLICIES } from '../adapters/config/complete.ts'
import type { Decision, Kernel } from '../core/kernel.ts'
import { Payload } from '../core/request.ts'

/** The package's own policies with that one rule the other way round. */
export function othersMayRead(folder: string): void {
  cpSync(OWN_POLICIES, folder, { recursive: true })
  const rule = join(folder, 'access', 'abac.rego')
  const text = readFileSync(rule, 'utf8')
  const changed = text.replace(
    'related.workload.attributes.owner == rbac.person.id',
    'related.workload.attributes.owner != rbac.person.id',
  )
  if (changed === text) throw new Error('the rule that this test changes is not there')
  writeFileSync(rule, changed)
}

/** Asks whether she may read each of them, so many times. */
export async function readCheckpoints(
  kernel: Kernel,
  times: Readonly<Record<string, number>>,
): Promise<readonly (readonly [checkpoint: string, decision: Decision])[]> {
  const asked: [string, Decision][] = []
  for (const [id, count] of Object.entries(times))
    for (let i = 0; i < count; i++) {
      const payload = Payload.fromJson({
        subject: { type: 'user', id: 'ada' },
        action: { name: 'read' },
        resource: { type: 'checkpoint', id },
      })
      asked.push([id, await kernel.decide({ action: 'access.evaluate', payload })])
    }
  return asked
}
