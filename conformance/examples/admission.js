// A driver in Node.js: a small system of its own (client, API server with TaskID dedup and outbox, relay, queue) that
// onceproof replays the model against. It performs and observes only this part of the protocol, and says so.
//
//   onceproof replay --cover specs/client-retries-are-one-task.yaml --driver "node conformance/examples/admission.js"
'use strict';
const readline = require('node:readline');

let s; // the system's state; maps are keyed as the model keys its fields: "task1,submission1"

function reset(setting) {
  s = { dedup: setting.mechanisms.task_id_dedup, calls: {}, wire: {}, known: {}, outbox: {}, messages: {} };
}

class Refused extends Error {}
function need(condition, reason) {
  if (!condition) throw new Refused(reason);
}

function answer(key, says) {
  if (s.calls[key] === 'WAITING') s.wire[key] = says;
  else delete s.wire[key];
}

const actions = {
  submit({ task, submission }) {
    const key = `${task},${submission}`;
    need(!s.calls[key], 'sent already');
    for (const [other, call] of Object.entries(s.calls)) {
      need(!other.startsWith(`${task},`) || call === 'TIMED_OUT', `${other} has not timed out`);
    }
    s.calls[key] = 'WAITING';
    s.wire[key] = 'REQUEST';
  },
  admit({ task, submission }) {
    const key = `${task},${submission}`;
    need(s.wire[key] === 'REQUEST', 'no request on the wire');
    need(!s.dedup || !s.known[task], 'the task is known');
    s.known[task] = true;
    s.outbox[key] = 'PENDING';
    answer(key, 'SAYS_202');
  },
  refuse({ task, submission }) {
    const key = `${task},${submission}`;
    need(s.wire[key] === 'REQUEST' && s.dedup && s.known[task], 'nothing to refuse');
    answer(key, 'SAYS_400');
  },
  hear_answer({ task, submission }) {
    const key = `${task},${submission}`;
    need(s.wire[key] === 'SAYS_202' || s.wire[key] === 'SAYS_400', 'no answer on the wire');
    s.calls[key] = s.wire[key] === 'SAYS_202' ? 'ACCEPTED' : 'REFUSED';
    delete s.wire[key];
  },
  response_loss({ task, submission }) {
    const key = `${task},${submission}`;
    need(s.calls[key] === 'WAITING', 'nobody waits');
    s.calls[key] = 'TIMED_OUT';
    if (s.wire[key] !== 'REQUEST') delete s.wire[key];
  },
  relay({ task, submission, message }) {
    const key = `${task},${submission}`;
    need(s.outbox[key] === 'PENDING', 'the row is not pending');
    need(!s.messages[message], 'the id is taken');
    need(!Object.values(s.messages).includes(key), 'the queue has it already');
    s.messages[message] = key;
    s.outbox[key] = 'PUBLISHED';
  },
  mark_relayed({ task, submission }) {
    const key = `${task},${submission}`;
    need(s.outbox[key] === 'PUBLISHED', 'the row is not published');
    s.outbox[key] = 'RELAYED';
  },
};

const each = (map, f) => Object.fromEntries(Object.entries(map).map(f));

// Only what differs from the model's initial state needs to be said.
const fields = {
  call: () => s.calls,
  post: () => s.wire,
  recorded: () => s.known,
  outbox: () => s.outbox,
  task_of: () => each(s.messages, ([message, key]) => [message, key.split(',')[0]]),
  enqueued: () => each(s.messages, ([, key]) => [key, true]),
};

const sources = {
  call: 'calls: what each client knows',
  post: 'wire: requests and answers not yet delivered',
  recorded: 'known: the TaskIDs that were admitted',
  outbox: 'outbox: rows, by how far they are',
  task_of: 'messages: the submission that each was made for',
  enqueued: 'messages: which submissions have one',
};

function handle(request) {
  switch (request.do) {
    case 'reset':
      if (request.protocol !== 1) return { ok: false, error: 'I speak protocol 1 only' };
      reset(request.setting);
      return {
        ok: true, protocol: 1, name: 'admission in Node.js',
        performs: Object.keys(actions), observes: Object.keys(fields), sources,
        unseen: { stage: 'messages are never received here', admitting: 'admission is one step here' },
      };
    case 'step':
      if (!actions[request.action]) return { ok: false, definite: true, error: `no action ${request.action}` };
      actions[request.action](request.arguments);
      return { ok: true };
    case 'observe':
      return { ok: true, state: each(fields, ([field, read]) => [field, read()]) };
    case 'quit':
      return { ok: true };
    default:
      return { ok: false, definite: true, error: `I don't know how to ${request.do}` };
  }
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const request = JSON.parse(line);
  let result;
  try {
    result = handle(request);
  } catch (error) {
    // A refusal is definite: nothing has changed. Anything else may have happened half-way.
    result = { ok: false, definite: error instanceof Refused, error: error.message };
  }
  process.stdout.write(`${JSON.stringify({ id: request.id, ...result })}\n`);
  if (request.do === 'quit') process.exit(0);
});
