/**
 * `best`: lossless in WebP, nearly so in video; `high`: no difference to be seen; `small`: for sending. GIF and PNG
 * know one only.
 */
export type Quality = 'best' | 'high' | 'small'
