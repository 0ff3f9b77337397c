/** Two CAs of the example, made by OpenSSL's own command: keys stay in the folder. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

export interface Served {
  readonly cert: string
  readonly key: string
}
export interface Ca {
  readonly id: string
  /** PEM */
  readonly cert: string
  /** For a server on this machine. */
  issue(): Served
}

export function newCa(folder: string, id: string): Ca {
  const at = (name: string): string => join(folder, `${id}-${name}.pem`)
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { stdio: 'ignore' })
  }
  const [ca, caKey] = [at('ca'), at('ca-key')]
  openssl('req', '-x509', ...NEW_KEY, '-keyout', caKey, '-out', ca, '-subj', `/CN=${id}`)
  return {
    id,
    cert: readFileSync(ca, 'utf8'),
    issue() {
      const [cert, key, request, extensions] = ['cert', 'key', 'csr', 'ext'].map(at) as [
        ...[string, string, string, string],
      ]
      const files = ['-keyout', key, '-out', request]
      openssl('req', '-new', ...NEW_KEY, ...files, '-subj', '/CN=localhost')
      writeFileSync(extensions, 'basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost\n')
      const signer = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-extfile', extensions]
      openssl('x509', '-req', '-in', request, '-out', cert, ...signer)
      return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
    },
  }
}
