type Policies = {
  readonly defaultPolicy: unknown
  createPolicy(name: 'default', rules: { createScriptURL(url: string): string | undefined }): unknown
}

/**
 * mediabunny joins colour and transparency of a WebM in a worker whose script is a blob that it makes itself, and the
 * page's policy (main/studio/page-headers.ts) takes no plain text for the address of a script. The default policy lets
 * such addresses through, and no other: a blob of this origin can only have been made by the page's own scripts, and
 * worker-src allows it already.
 */
export function allowBlobWorkers(): void {
  const { trustedTypes } = globalThis as { trustedTypes?: Policies }
  if (!trustedTypes || trustedTypes.defaultPolicy) return
  trustedTypes.createPolicy('default', {
    createScriptURL: (url) => (url.startsWith(`blob:${location.origin}/`) ? url : undefined),
  })
}
