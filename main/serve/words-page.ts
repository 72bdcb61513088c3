import type { Refusal } from './guard.ts'

/** What a person reads who comes without the cookie. */
const words: Record<Refusal, string> = {
  hosts: 'This request names two addresses; there must be one.',
  host: 'This address is not one that Frameloom answers to. Use the address that it printed.',
  origin: 'This request came from another page, and Frameloom answers only its own.',
  'cross-site':
    'This request came from another page, and Frameloom answers only its own. Type or paste the address instead.',
  method: 'Frameloom does not take this kind of request here.',
  'launch-spent': 'This link was used already: each one opens the studio once, in one browser.',
  'launch-wrong': 'This link is not from the Frameloom that runs now.',
  'no-session': 'This browser has not been let in, or was closed since.',
}
const again =
  'For a new link, press Enter in the terminal where Frameloom runs, or start it once more, which opens it again: npm start, or npx frameloom serve.'

export const refusalText = (reason: Refusal): string => `${words[reason]} ${again}`

/** Fixed text only: nothing of the request is repeated. */
export const refusalPage = (reason: Refusal): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>Frameloom</title><h1>Frameloom</h1><p>${words[reason]}</p><p>${again}</p></html>`

export const reloadPage =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>Frameloom</title><meta http-equiv="refresh" content="0;url=/"><p><a href="/">Open Frameloom</a></p></html>'
