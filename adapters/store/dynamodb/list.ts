/** Listings: one item collection page by page, or many of them merged into one order. */
import type { Stored } from '../../../core/ports/store.ts'
import { compareUtf8 } from '../../../core/storage.ts'
import type { Client, Item, PageQuery } from './client.ts'
import { recordPks } from './keys.ts'
import { recordOf } from './record.ts'

export interface Range {
  readonly partition: string
  readonly prefix: string
  readonly after?: string
}

/** Most listings are short, and what is read is paid for: pages begin small. */
const FIRST_PAGE = 64
const LONGEST_PAGE = 1024

/** The records of a partition in a range, in UTF-8 byte order. */
export async function* list(
  client: Client,
  logPrefix: string,
  { after, partition, prefix }: Range,
): AsyncGenerator<Stored> {
  // DynamoDB goes on after a key within the range only.
  const inside = after?.startsWith(prefix) === true
  if (after !== undefined && !inside && compareUtf8(after, prefix) > 0) return
  const start = inside ? { after } : {}
  const queries = recordPks(logPrefix, partition).map((pk) => ({ pk, prefix, ...start }))
  const items = merged(queries.map((query) => itemsOf(client, query)))
  for await (const item of items) yield recordOf(partition, item)
}

async function* itemsOf(client: Client, query: PageQuery): AsyncGenerator<Item> {
  let limit = FIRST_PAGE
  let after = query.after
  do {
    const page = await client.page({ ...query, ...(after === undefined ? {} : { after }), limit })
    yield* page.items
    after = page.next
    limit = Math.min(limit * 4, LONGEST_PAGE)
  } while (after !== undefined)
}

interface Head {
  readonly source: AsyncGenerator<Item>
  readonly item: Item
}

async function* merged(sources: readonly AsyncGenerator<Item>[]): AsyncGenerator<Item> {
  try {
    // The first pages of all are asked for at once.
    let heads = (await Promise.all(sources.map(headOf))).filter((head) => head !== undefined)
    while (heads.length > 0) {
      const least = heads.reduce((a, b) => (compareUtf8(sortOf(a), sortOf(b)) <= 0 ? a : b))
      yield least.item
      const next = await headOf(least.source)
      heads = heads.flatMap((head) => (head !== least ? [head] : next ? [next] : []))
    }
  } finally {
    await Promise.all(sources.map((source) => source.return(undefined)))
  }
}

async function headOf(source: AsyncGenerator<Item>): Promise<Head | undefined> {
  const { done, value } = await source.next()
  return done === true ? undefined : { source, item: value }
}

const sortOf = ({ item }: Head): string => item.sk?.S ?? ''
