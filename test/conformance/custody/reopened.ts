/** A custody that is closed and opened again on the same keys, for any of them. */
import type { Custody } from '../../../core/ports/custody.ts'
import type { OpenedCustody } from './subject.ts'

/** @param open once for each process that a law speaks of @param around what stands beside; its `dispose` comes after the last custody is closed */
export async function reopened(
  open: () => Promise<Custody>,
  around: Pick<OpenedCustody, 'dispose' | 'stall'>,
): Promise<OpenedCustody> {
  const closing: Custody[] = []
  const another = async (): Promise<Custody> => {
    const custody = await open()
    closing.push(custody)
    return custody
  }
  let custody = await another()
  const opened: OpenedCustody = {
    get custody() {
      return custody
    },
    async reopen() {
      await custody.close()
      custody = await another()
      return opened
    },
    another,
    stall: around.stall,
    async dispose() {
      for (const one of closing) await one.close()
      await around.dispose()
    },
  }
  return opened
}
