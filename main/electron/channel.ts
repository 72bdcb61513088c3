/** The one channel between page and host: it carries a MessagePort and nothing else. */
export const connectChannel = 'frameloom:connect'
