/** How many bytes of the start of a file `identify` looks at. */
export const identifyBytes = 512

type Kind = { readonly starts: string; readonly at?: number; readonly is: string }

const archive = 'unpack it first'
const pickle =
  'a bare Python pickle: it could run code, so it is never loaded. Take the .safetensors file, or save it again with PyTorch 1.6 or newer'

// Latin-1 text of the first bytes, from each format's own specification.
const kinds: readonly Kind[] = [
  {
    starts: 'version https://git-lfs',
    is: 'a Git LFS pointer, not the weights: run "git lfs pull", or download the file itself',
  },
  { starts: 'GGUF', is: 'a GGUF file (llama.cpp), which is not supported: take the .safetensors file' },
  { starts: 'tjgg', is: 'a GGML file (llama.cpp), which is not supported: take the .safetensors file' },
  { starts: 'lmgg', is: 'a GGML file (llama.cpp), which is not supported: take the .safetensors file' },
  {
    starts: 'PK\x03\x04',
    is: 'a zip archive, as PyTorch writes them: give it its .bin or .ckpt name back, or unpack it',
  },
  { starts: 'PK\x05\x06', is: 'an empty zip archive' },
  { starts: '\x80\x02', is: pickle },
  { starts: '\x80\x03', is: pickle },
  { starts: '\x80\x04', is: pickle },
  { starts: '\x80\x05', is: pickle },
  { starts: '\x89HDF\r\n\x1a\n', is: 'an HDF5 file (Keras), which is not supported: take the .safetensors file' },
  { starts: '\x93NUMPY', is: 'a NumPy array file, not a checkpoint' },
  { starts: '\x1f\x8b', is: `a gzip archive: ${archive}` },
  { starts: '7z\xbc\xaf\x27\x1c', is: `a 7-Zip archive: ${archive}` },
  { starts: 'Rar!', is: `a RAR archive: ${archive}` },
  { starts: '\xfd7zXZ\x00', is: `an xz archive: ${archive}` },
  { starts: 'BZh', is: `a bzip2 archive: ${archive}` },
  { starts: '\x28\xb5\x2f\xfd', is: `a Zstandard archive: ${archive}` },
  { starts: 'ustar', at: 257, is: `a tar archive: ${archive}` },
  { starts: '\x89PNG', is: 'a PNG image' },
  { starts: '\xff\xd8\xff', is: 'a JPEG image' },
  { starts: 'GIF8', is: 'a GIF image' },
  { starts: 'RIFF', is: 'a WebP image, or another RIFF file' },
  { starts: 'ftyp', at: 4, is: 'an MP4 or MOV video' },
  { starts: '\x1a\x45\xdf\xa3', is: 'a WebM or Matroska video' },
  { starts: '%PDF', is: 'a PDF document' },
  { starts: 'SQLite format 3', is: 'an SQLite database' },
  { starts: '\x7fELF', is: 'a program (ELF)' },
  { starts: 'MZ', is: 'a Windows program' },
]

/**
 * What a file that is not what its name says really is, in plain words and with what to do; undefined when that cannot
 * be told. `head` is its first bytes (identifyBytes, or all when it is shorter).
 */
export function identify(head: Uint8Array, size: number): string | undefined {
  if (size === 0) return 'an empty file (0 bytes): download it again'
  const text = Array.from(head.subarray(0, identifyBytes), (byte) => String.fromCharCode(byte)).join('')
  const kind = kinds.find(({ starts, at = 0 }) => text.startsWith(starts, at))
  if (kind) return kind.is
  if (text[8] === '{' && new DataView(head.buffer, head.byteOffset).getBigUint64(0, true) <= BigInt(size))
    return 'a safetensors file: give it the extension .safetensors'
  // ModelProto starts with field 1 (ir_version), then one of fields 2, 3, 4, 7 with a length (onnx.proto).
  if (head[0] === 0x08 && head[1]! <= 20 && [0x12, 0x1a, 0x22, 0x3a].includes(head[2]!))
    return 'an ONNX model: third-party ONNX files are never loaded'
  if (head.subarray(0, identifyBytes).every((byte) => byte === 0))
    return 'a file that starts with zeros, as an unfinished download does: download it again'
  return oldPickle.test(text) ? pickle : identifyText(text)
}

/** Protocols 0 and 1 have no mark at their start: a dict or list that is stored first, or a global's two lines. */
const oldPickle = /^(?:[}\])]q|\([dl]?p\d|c[\w.]+\r?\n\w+\r?\n)/

function identifyText(text: string): string | undefined {
  const start = text.trimStart()
  if (/^<\?xml/i.test(start)) return "an XML document: often a server's error message. Download the file again"
  if (/^<(!doctype|!--|html|head|body)/i.test(start))
    return 'an HTML page, not the weights: often an error or sign-in page that was saved instead. Download the file again'
  if (!/^[\t\n\r\x20-\x7e]+$/.test(text)) return undefined
  const shown = JSON.stringify(start.split('\n', 1)[0]!.slice(0, 60))
  return /^[{[]/.test(start)
    ? `JSON text that starts ${shown}: an index, a settings file, or a server's error message`
    : `a text file that starts ${shown}: it may be a server's error message. Download the file again`
}
