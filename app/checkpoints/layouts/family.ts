/** The three generations of Stable Diffusion that single files come in. */
export type Family = 'sd1' | 'sd2' | 'sdxl'

export const familyNames: Readonly<Record<Family, string>> = {
  sd1: 'Stable Diffusion 1.x',
  sd2: 'Stable Diffusion 2.x',
  sdxl: 'Stable Diffusion XL',
}
