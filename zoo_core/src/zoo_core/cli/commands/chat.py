"""Talk with a model in the terminal; its answers appear as they are written.

    zoo chat MODEL                         a folder, or an id on the Hub
    zoo chat MODEL --system "Be brief." --temperature 0.7

/clear forgets the conversation, /exit (or the end of the input) leaves. Where the checkpoint has no chat
template the conversation is continued as plain text.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from zoo_core.cli import language
from zoo_core.cli.terminal import clean
from zoo_core.errors import GenerationError

if TYPE_CHECKING:
    from zoo_core.cli.terminal import Terminal
    from zoo_core.nn.cache import Cache


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``zoo chat``."""
    language.add_options(parser, max_new_tokens=512)
    parser.add_argument("--system", metavar="TEXT", help="what the model is told before the conversation")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Read a line, stream an answer, until there are no more lines."""
    tokenizer, model = language.load(arguments)
    if model.config.is_encoder_decoder:
        raise GenerationError(f"{arguments.model} has an encoder and holds no conversation; use zoo generate")
    conversation = Conversation(tokenizer, model, terminal, arguments)
    while True:
        if terminal.interactive:
            terminal.stream.write(terminal.style("> ", "bold"))
            terminal.stream.flush()
        line = sys.stdin.readline()
        said = line.strip()
        if not line or said == "/exit":
            return 0
        if said == "/clear":
            conversation.clear()
        elif said:
            conversation.answer(said)


class Conversation:
    """Messages so far, and the model's memory of the tokens that they have in common with the next prompt."""

    def __init__(self, tokenizer: Any, model: Any, terminal: Terminal, arguments: argparse.Namespace) -> None:
        self.tokenizer, self.model, self.terminal = tokenizer, model, terminal
        self.system: str | None = arguments.system
        self.settings = language.settings(arguments)
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.messages: list[dict[str, str]] = []
        if self.system:
            self.messages.append({"role": "system", "content": self.system})
        self.cache: Cache | None = None
        self.seen: list[int] = []

    def answer(self, said: str) -> None:
        """Stream the answer to `said`."""
        from zoo_core.generation import TextStreamer

        terminal = self.terminal

        class Stream(TextStreamer):
            def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
                terminal.stream.write(clean(text) + ("\n" if stream_end else ""))
                terminal.stream.flush()

        self.messages.append({"role": "user", "content": said})
        ids = self.prompt()
        streamer = Stream(self.tokenizer, skip_prompt=True, skip_special_tokens=True)
        out = self.model.generate(
            ids, **self.settings, streamer=streamer, past_key_values=self.memory(ids[0].tolist())
        )
        self.seen = out[0, :-1].tolist()  # the last token has been chosen, not read
        text = self.tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True)
        self.messages.append({"role": "assistant", "content": text})

    def prompt(self) -> Any:
        """(1, length) ids of the conversation, up to where the model is to go on."""
        if getattr(self.tokenizer, "chat_template", None):
            text = self.tokenizer.apply_chat_template(
                self.messages, tokenize=False, add_generation_prompt=True
            )
            encoded = self.tokenizer(text, add_special_tokens=False, return_tensors="pt")
        else:
            text = "\n".join(message["content"] for message in self.messages) + "\n"
            encoded = self.tokenizer(text, return_tensors="pt")
        return encoded["input_ids"].to(self.model.device)

    def memory(self, ids: list[int]) -> Cache:
        """The cache of what this prompt shares with the last one, or a new one."""
        from zoo_core.nn.cache import Cache

        shared = 0
        while shared < min(len(ids) - 1, len(self.seen)) and ids[shared] == self.seen[shared]:
            shared += 1
        if self.cache is None or not self.cache.can_crop or not shared:
            self.cache = Cache(sliding=False)
        else:
            self.cache.crop(shared)
        return self.cache
