/** What is known of the aliases: read whole, kept for a few seconds, and with one's own changes at once. */
import type { ListAliasesResponse } from '@aws-sdk/client-kms'
import type { Clock } from '../../../core/ports/clock.ts'
import { type Alias, type Version, versionsOf } from './aliases.ts'
import { type Ask, type Calls, type Deadline, present } from './calls.ts'

/** How long an alias that was made here counts, whether or not KMS shows it already: it says what it was told a few seconds later. */
const OWN_MS = 30_000
const PAGE = 100

interface Read {
  readonly at: number
  readonly aliases: readonly Alias[]
}

export class Listing {
  readonly #calls: Calls
  readonly #clock: Clock
  readonly #prefix: string
  readonly #maxAgeMs: number
  #read: Read | undefined
  #reading: Promise<Read> | undefined
  #own: (Alias & { readonly at: number })[] = []

  constructor(calls: Calls, clock: Clock, prefix: string, maxAgeMs: number) {
    this.#calls = calls
    this.#clock = clock
    this.#prefix = prefix
    this.#maxAgeMs = maxAgeMs
  }

  /** Every version, at most as old as was configured. */
  async versions(): Promise<readonly Version[]> {
    const known = this.#read
    const young = known !== undefined && this.#clock.monotonic() - known.at <= this.#maxAgeMs
    return this.#with((young ? known : await this.#readOnce()).aliases)
  }

  /** What is known is not to be used again. */
  forget(): void {
    this.#read = undefined
    this.#reading = undefined
  }

  /** What KMS says now of the aliases of one key. */
  async ofKey(keyId: string, deadline: Deadline): Promise<readonly Version[]> {
    const { aliases } = await this.#ask(deadline, keyId)
    return versionsOf(
      this.#prefix,
      this.#merged(aliases, (own) => own.keyId === keyId),
    )
  }

  /** Whether KMS shows this very alias. */
  async has({ keyId, name }: Alias, deadline: Deadline): Promise<boolean> {
    const { aliases } = await this.#ask(deadline, keyId)
    return aliases.some((alias) => alias.name === name)
  }

  /** An alias was made here. */
  add(alias: Alias): void {
    this.#own.push({ ...alias, at: this.#clock.monotonic() })
  }

  /** An alias is gone. */
  remove(name: string): void {
    this.#own = this.#own.filter((own) => own.name !== name)
  }

  #with(aliases: readonly Alias[]): readonly Version[] {
    return versionsOf(
      this.#prefix,
      this.#merged(aliases, () => true),
    )
  }

  #merged(aliases: readonly Alias[], which: (own: Alias) => boolean): readonly Alias[] {
    const now = this.#clock.monotonic()
    this.#own = this.#own.filter(({ at }) => now - at <= OWN_MS)
    const shown = new Set(aliases.map(({ name }) => name))
    return [...aliases, ...this.#own.filter((own) => which(own) && !shown.has(own.name))]
  }

  /** Whoever asks while it is read waits for the same answer. */
  async #readOnce(): Promise<Read> {
    const reading = this.#reading ?? this.#ask(this.#calls.deadline())
    this.#reading = reading
    try {
      const read = await reading
      if (this.#reading === reading) this.#read = read
      return read
    } finally {
      if (this.#reading === reading) this.#reading = undefined
    }
  }

  async #ask(deadline: Deadline, KeyId?: string): Promise<Read> {
    const at = this.#clock.monotonic()
    const { ListAliasesCommand } = this.#calls.sdk
    const aliases: Alias[] = []
    let Marker: string | undefined
    do {
      const input = { Limit: PAGE, ...(KeyId && { KeyId }), ...(Marker && { Marker }) }
      const ask: Ask<ListAliasesResponse> = async (client, options) => {
        const answer = await client.send(new ListAliasesCommand(input), options)
        present(answer.Aliases)
        return answer
      }
      const page = await this.#calls.call('ListAliases', deadline, ask)
      for (const { AliasName = '', TargetKeyId } of page.Aliases ?? [])
        if (AliasName.startsWith(`alias/${this.#prefix}/`) && TargetKeyId !== undefined)
          aliases.push({ name: AliasName, keyId: TargetKeyId })
      Marker = page.NextMarker
    } while (Marker !== undefined)
    return { at, aliases }
  }
}
