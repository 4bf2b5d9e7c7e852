// What goes over the socket: messages of y-protocols, and three of our own (docs/decisions/0010-writing-together.md, "On the wire").
import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";

export const SYNC = 0;
export const AWARENESS = 1;
export const STORED = 100;
export const TOLD = 101;
export const IS = 102;

export const CLOSED = { unreadable: 4400, signedOut: 4401, forbidden: 4403, gone: 4404, unknownLineage: 4408, tooLarge: 4413, tooMany: 4429 };

/** One message; `write` puts its payload into the encoder. */
export function message(kind, write) {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, kind);
    write(encoder);
  });
}

/** The kind of a message, and a decoder that stands at its payload. */
export function opened(data) {
  const decoder = decoding.createDecoder(new Uint8Array(data));
  return [decoding.readVarUint(decoder), decoder];
}

export const readNumber = decoding.readVarUint;
export const readBytes = decoding.readVarUint8Array;
export const readTold = (decoder) => JSON.parse(decoding.readVarString(decoder));
export const writeNumber = encoding.writeVarUint;
export const writeBytes = encoding.writeVarUint8Array;
