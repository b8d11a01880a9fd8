/** What went wrong, in words: the server's problem documents (RFC 9457) and our own. */

export class Problem extends Error {
  /** `code` is stable and for programs; `detail` and `suggestion` are sentences for people. */
  constructor({ code, detail, suggestion = "", status = 0, requestId = "" }) {
    super(detail);
    this.name = "Problem";
    Object.assign(this, { code, detail, suggestion, status, requestId });
  }

  /** True where the same request may succeed later without anybody changing anything. */
  get passing() {
    return this.status === 0 ? this.code === "unreachable" : this.status === 408 || this.status === 429 || this.status >= 500;
  }

  /** The whole message: sentence and suggestion, and the request id where the fault is the server's. */
  get words() {
    // The server tells programs how to send a key; people are asked for it.
    if (this.status === 401) return "This needs the server's API key.";
    const id = this.status >= 500 && this.requestId ? ` (Request ${this.requestId})` : "";
    return [sentence(this.detail), sentence(this.suggestion)].filter(Boolean).join(" ") + id;
  }
}

/** The problem in an answer that is not 2xx, whatever its body holds. */
export async function problemOf(response) {
  const body = await response.json().catch(() => null);
  const said = body !== null && typeof body === "object" ? body : {};
  return new Problem({
    status: response.status,
    code: typeof said.code === "string" ? said.code : `http_${response.status}`,
    detail: said.detail || said.title || `The server answered ${response.status}.`,
    suggestion: said.suggestion || "",
    requestId: said.request_id || "",
  });
}

/** No answer at all: no network, no server, or none within the time limit. */
export function unreachable() {
  return new Problem({ code: "unreachable", detail: "The server cannot be reached." });
}

/** Any error as words for a person. */
export function words(error) {
  return error instanceof Problem ? error.words : "Something went wrong in this page. Reload it and try again.";
}

function sentence(text) {
  const trimmed = (text ?? "").trim();
  if (trimmed === "") return "";
  const capital = trimmed[0].toUpperCase() + trimmed.slice(1);
  return /[.!?…]$/.test(capital) ? capital : `${capital}.`;
}
