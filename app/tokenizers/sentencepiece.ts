import { PbfReader } from 'pbf'
import { ProblemError } from '#app/contract/errors.ts'

/** What a piece is: sentencepiece_model.proto, ModelProto.SentencePiece.Type. */
export type PieceType = 'normal' | 'unknown' | 'control' | 'user-defined' | 'unused' | 'byte'
const pieceTypes: readonly PieceType[] = ['normal', 'unknown', 'control', 'user-defined', 'unused', 'byte']

export type Piece = { text: string; score: number; type: PieceType }

export type SentencePieceModel = {
  pieces: Piece[]
  /** 'unigram', 'bpe', 'word' or 'char'. */
  modelType: string
  /** The compiled normalisation rules, empty for none. */
  charsmap: Uint8Array
}

/**
 * A SentencePiece model file (Kudo and Richardson 2018, arXiv 1808.06226): the fields 1 (pieces), 2.3 (model type) and
 * 3.2 (charsmap) of ModelProto. Throws bad-model when the bytes are something else or cut short.
 */
export function parseSentencePiece(bytes: Uint8Array, file = 'spiece.model'): SentencePieceModel {
  const model: SentencePieceModel = { pieces: [], modelType: 'unigram', charsmap: new Uint8Array() }
  const refuse = (message: string, cause?: unknown) =>
    new ProblemError('bad-model', `${file}: ${message}`, { file, ...(cause === undefined ? {} : { cause }) })
  const seen = { trained: false }
  const reader = new PbfReader(bytes)
  try {
    reader.readFields((tag, result, field) => {
      if (tag === 1) result.pieces.push(field.readMessage(readPiece, { text: '', score: 0, type: 'normal' }))
      else if (tag === 2) {
        seen.trained = true
        field.readMessage(readTrainer, result)
      } else if (tag === 3) field.readMessage(readNormalizer, result)
    }, model)
  } catch (cause) {
    throw refuse(`is not a SentencePiece model: ${(cause as Error).message}`, cause)
  }
  // The reader does not complain about a field that ends behind the file, and the pieces come first.
  if (reader.pos !== bytes.length || !seen.trained)
    throw refuse('is not a whole SentencePiece model; it may be cut short.')
  if (model.pieces.length === 0) throw refuse('is not a SentencePiece model: it has no pieces.')
  const broken = model.pieces.findIndex((piece) => piece.text === '' || !Number.isFinite(piece.score))
  if (broken >= 0) throw refuse(`piece ${broken} has no text or no finite score; the file is damaged.`)
  return model
}

function readPiece(tag: number, piece: Piece | undefined, reader: PbfReader | undefined): void {
  if (!piece || !reader) return
  if (tag === 1) piece.text = reader.readString()
  else if (tag === 2) piece.score = reader.readFloat()
  else if (tag === 3) piece.type = pieceTypes[reader.readVarint() - 1] ?? 'normal'
}

function readTrainer(tag: number, model: SentencePieceModel | undefined, reader: PbfReader | undefined): void {
  if (tag === 3 && model && reader)
    model.modelType = ['unigram', 'bpe', 'word', 'char'][reader.readVarint() - 1] ?? 'unknown'
}

function readNormalizer(tag: number, model: SentencePieceModel | undefined, reader: PbfReader | undefined): void {
  if (tag === 2 && model && reader) model.charsmap = reader.readBytes()
}
