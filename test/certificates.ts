/** Certificates for tests, made by OpenSSL's own command: an authority, and what it signs. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const openssl = async (...args: string[]): Promise<void> => {
  await promisify(execFile)('openssl', args)
}
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

/** Paths of PEM files. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}
export interface Wanted {
  /** Such as `DNS:localhost,IP:127.0.0.1`. Default: none. */
  readonly altNames?: string
  /** Such as `/CN=client`. */
  readonly subject?: string
  /** Default 30; less than 1 is expired. */
  readonly days?: number
}

export class Authority implements Certificate {
  readonly folder: string
  readonly cert: string
  readonly key: string
  #issued = 0

  private constructor(folder: string) {
    this.folder = folder
    this.cert = join(folder, 'ca.pem')
    this.key = join(folder, 'ca-key.pem')
  }

  static async make(name = 'Test Authority'): Promise<Authority> {
    const made = new Authority(await mkdtemp(join(tmpdir(), 'assay-ca-')))
    const files = ['-keyout', made.key, '-out', made.cert]
    await openssl('req', '-x509', ...NEW_KEY, ...files, '-days', '30', '-subj', `/CN=${name}`)
    return made
  }

  /** For a server on this machine. */
  server(): Promise<Certificate> {
    return this.issue({ altNames: 'DNS:localhost,IP:127.0.0.1', subject: '/CN=localhost' })
  }

  async issue({ altNames, days = 30, subject = '/CN=client' }: Wanted): Promise<Certificate> {
    const at = (name: string): string => join(this.folder, `${name}-${this.#issued}.pem`)
    this.#issued++
    const [cert, key, request, extensions] = [at('cert'), at('key'), at('csr'), at('ext')] as const
    await openssl('req', '-new', ...NEW_KEY, '-keyout', key, '-out', request, '-subj', subject)
    const names = altNames === undefined ? '' : `subjectAltName=${altNames}\n`
    await writeFile(extensions, `basicConstraints=CA:FALSE\n${names}`)
    const signer = ['-CA', this.cert, '-CAkey', this.key, '-CAcreateserial']
    const files = ['-in', request, '-out', cert, '-extfile', extensions]
    await openssl('x509', '-req', ...files, ...signer, '-days', String(days))
    return { cert, key }
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }
}
