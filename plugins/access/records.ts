/** The plugin's records as the store holds them, read guarded, each at most once a decision. */
import { StoreError } from '../../core/error.ts'
import type { Json } from '../../core/json.ts'
import type { PastDecision, ReadPorts } from '../../core/plugin.ts'
import {
  assignmentKey,
  membersKey,
  requestKey,
  resourceKey,
  sessionKey,
  subjectKey,
} from './keys.ts'
import type { Attributes, Grant, Ref, RequestState, ResourceState } from './schema.ts'

export interface SubjectRecord extends ResourceState {
  readonly acts_for?: Ref
  readonly incarnation: string
}
export type ResourceRecord = ResourceState
export interface AssignmentRecord extends Ref {
  /** What requests for access got; absent where there are none. */
  readonly grants?: readonly Grant[]
  readonly roles: readonly string[]
}
export interface MembersRecord {
  readonly members: number
  readonly role: string
}
export interface RequestRecord {
  readonly approval?: string
  readonly state: RequestState
}
export interface SessionRecord {
  readonly expires: number
  readonly id: string
  readonly incarnation: string
  readonly opened: number
  readonly roles: readonly string[]
  readonly subject: Ref
}

export const NO_ATTRIBUTES: Attributes = Object.freeze({})
export const NO_ROLES: readonly string[] = Object.freeze([])

export class Records {
  readonly #read: ReadPorts
  readonly #signal: AbortSignal
  readonly #asked = new Map<string, Promise<Json | undefined>>()

  constructor(read: ReadPorts, signal: AbortSignal) {
    this.#read = read
    this.#signal = signal
  }

  /** @throws StoreError `corrupt` when the record under this key is about somebody else; so do the others */
  subject(ref: Ref): Promise<SubjectRecord | undefined> {
    return this.#about<SubjectRecord>(subjectKey(ref), ref)
  }

  resource(ref: Ref): Promise<ResourceRecord | undefined> {
    return this.#about<ResourceRecord>(resourceKey(ref), ref)
  }

  roles(ref: Ref): Promise<readonly string[]> {
    return this.assignment(ref).then((record) => record?.roles ?? NO_ROLES)
  }

  assignment(ref: Ref): Promise<AssignmentRecord | undefined> {
    return this.#about<AssignmentRecord>(assignmentKey(ref), ref)
  }

  async request(id: string): Promise<RequestRecord | undefined> {
    const record = (await this.#get(requestKey(id))) as unknown as RequestRecord | undefined
    if (record && record.state.id !== id) throw corrupt()
    return record
  }

  async session(id: string): Promise<SessionRecord | undefined> {
    const record = (await this.#get(sessionKey(id))) as SessionRecord | undefined
    if (record && record.id !== id) throw corrupt()
    return record
  }

  async members(role: string): Promise<number> {
    const record = (await this.#get(membersKey(role))) as MembersRecord | undefined
    if (record && record.role !== role) throw corrupt()
    return record?.members ?? 0
  }

  decided(id: string): Promise<PastDecision | undefined> {
    this.#signal.throwIfAborted()
    return this.#read.decided(id)
  }

  #about<R extends Ref>(sort: string, ref: Ref): Promise<R | undefined> {
    return this.#get(sort).then((found) => {
      const record = found as unknown as R | undefined
      return record && isAbout(record, ref) ? record : undefined
    })
  }

  /** The same record twice in one decision is one value, whatever is committed in between. */
  #get(sort: string): Promise<Json | undefined> {
    const asked = this.#asked.get(sort)
    if (asked) return asked
    this.#signal.throwIfAborted()
    const answer = this.#read.get(sort)
    this.#asked.set(sort, answer)
    return answer
  }
}

function isAbout(record: Ref, { id, type }: Ref): true {
  if (record.id !== id || record.type !== type) throw corrupt()
  return true
}

function corrupt(): StoreError {
  return new StoreError(
    'plugin/access',
    'corrupt',
    'a record lies under the key of another; restore the store from a backup',
  )
}
