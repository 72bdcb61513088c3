import { z } from 'zod'

// Zod writes faster parsers with eval where it may. The page's content security policy forbids it, and even the try is
// reported.
z.config({ jitless: true })
