// The callers that wait for an answer.

import type { Answer, Ticket } from '../connection/inputs.ts';
import { RequestError, SendError, type SendProblem } from '../errors.ts';
import type { Reply } from '../protocol.ts';

interface Caller {
  resolve: (reply: Reply | undefined) => void;
  reject: (error: Error) => void;
}

export class Callers {
  readonly #callers = new Map<Ticket, Caller>();
  #lastTicket: Ticket = 0;

  /** A promise for the answer to what `ask` gives the connection under a new ticket. */
  wait(ask: (ticket: Ticket) => void): Promise<Reply | undefined> {
    this.#lastTicket += 1;
    const ticket = this.#lastTicket;
    return new Promise((resolve, reject) => {
      this.#callers.set(ticket, { resolve, reject });
      ask(ticket);
    });
  }

  answer(ticket: Ticket, answer: Answer): void {
    const caller = this.#take(ticket);
    if (answer.kind === 'reply') caller?.resolve(answer.reply);
    else caller?.reject(new RequestError(answer.problem));
  }

  taken(ticket: Ticket, problem: SendProblem | undefined): void {
    const caller = this.#take(ticket);
    if (problem) caller?.reject(new SendError(problem));
    else caller?.resolve(undefined);
  }

  #take(ticket: Ticket): Caller | undefined {
    const caller = this.#callers.get(ticket);
    this.#callers.delete(ticket);
    return caller;
  }
}
