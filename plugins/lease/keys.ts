/** Where the plugin's records lie, and those of other plugins that its facts read. */

export const resourceKey = (resource: string): string => `resource/${resource}`
export const leaseKey = (lease: string): string => `lease/${lease}`

/**
 * Active leases in the order in which they end, so that whoever looks for those that are due reads no others. The sweeper
 * (adapters/sweep) takes these keys apart.
 *
 * @param expiresAt Unix seconds, below 10^12
 */
export const dueKey = (expiresAt: number, lease: string): string =>
  `due/${String(expiresAt).padStart(12, '0')}/${lease}`

/** Of `enrolment`. */
export const cellKey = (cell: string): string => `cell/${cell}`
export const tenantKey = (tenant: string): string => `tenant/${tenant}`

/** Of `announce`: what is revoked of a cell's tokens, or everywhere (`*`). */
export const revokedKey = (kind: 'key' | 'lease' | 'tenant', reach: string, id: string): string =>
  `revoked/${kind}/${reach}/${id}`
export const EVERYWHERE = '*'
