/** What ffmpeg says of data that is missing or wrong; its other lines are about tags, colours and what it left out. */
const complaint =
  /conceal|error|invalid|corrupt|partial|premature|truncat|missing|broken|overread|damaged|no frame|exceeds/i
const guessed = /concealing \d+/
const early = /ended prematurely|partial file|truncat/i

/** What the programs say of a file that can be read all the same. */
export class Damage {
  private complaints = 0
  private guesses = 0
  /** The file ends before its last packet does. */
  endsEarly = false

  /** Takes each line that is said. */
  readonly hear = (line: string): void => {
    if (!complaint.test(line) || line.includes('edit list')) return
    this.complaints++
    if (guessed.test(line)) this.guesses++
    if (early.test(line)) this.endsEarly = true
  }

  get heard(): boolean {
    return this.complaints > 0
  }

  /** What a user is told where `decoded` of `promised` frames come out; nothing where all is well. */
  notes(decoded: number, promised: number): string[] {
    const guesses = Math.min(this.guesses, decoded)
    const guessedWords = `in ${guesses} of ${decoded} frames what is missing or wrong was guessed by the decoder`
    if (decoded < promised) return [`${missingWords(decoded, promised)}${guesses > 0 ? `; ${guessedWords}` : ''}.`]
    if (guesses > 0) return [`The clip is damaged: ${guessedWords}.`]
    return this.heard ? ['The clip is damaged: its decoder met wrong data, so frames may not be what they were.'] : []
  }
}

/** The same words for whatever is cut short: videos and pictures that move. */
export const missingWords = (decoded: number, promised: number): string =>
  `The clip is cut short or damaged: ${decoded} of ${promised} frames could be decoded`
