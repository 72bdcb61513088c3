import type { ContractRouterClient } from '@orpc/contract'
import type { studioContract } from '#app/contract/studio.ts'

export type StudioClient = ContractRouterClient<typeof studioContract>

/** One open line to the host. It is used until `closed` settles, then thrown away. */
export type Transport = { client: StudioClient; closed: Promise<void>; close: () => void }
export type OpenTransport = () => Promise<Transport>
