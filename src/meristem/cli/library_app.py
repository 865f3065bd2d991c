# No `from __future__ import annotations` here, as in `app.py`: Typer reads the annotations.
"""The commands of `meristem library` and their options. What they do is in `meristem.cli.library`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

from meristem.cli.session import Session

if TYPE_CHECKING:
    from meristem.library import Library


def add_library(app: Any, session: Session, debug: Callable[[bool], None]) -> None:
    """Add the commands to the application.

    Args:
        app: The Typer application.
        session: What the commands run in.
        debug: What `--debug` does.
    """
    import typer

    library = typer.Typer(
        name="library",
        help="What was learned and kept: list, search, show, compare, pass on, check.",
        rich_markup_mode=None,
        no_args_is_help=True,
    )
    app.add_typer(library, name="library", short_help="What was learned and kept.")
    Place = Annotated[
        Optional[str],  # noqa: UP045 (older Typers do not read `str | None`)
        typer.Option(
            "--library",
            "-L",
            metavar="DIR",
            help="The library's folder. [default: MERISTEM_LIBRARY, or your own]",
            show_default=False,
        ),
    ]
    AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout and nothing else there.")]
    Name = Annotated[
        str, typer.Argument(metavar="NAME", help="An entry: its name, or name@version.", show_default=False)
    ]
    Debug = Annotated[
        bool,
        typer.Option(
            "--debug", callback=debug, is_eager=True, help="Show where in the code an error came from."
        ),
    ]

    def run(place: Optional[str], as_json: bool, command: Callable[["Library"], Optional[int]]) -> int:  # noqa: UP045
        def work() -> Optional[int]:  # noqa: UP045
            from meristem.cli.library import open_library

            with open_library(place) as opened:
                return command(opened)

        session.as_json = as_json
        return session.run(work)

    @library.command("list", short_help="The entries by name.")
    def list_(
        all_versions: Annotated[
            bool, typer.Option("--all", help="All versions, not only the newest.")
        ] = False,
        place: Place = None,
        as_json: AsJson = False,
        debug: Debug = False,
    ) -> int:
        """List the entries by name: shelf, how often each was used, type, what it does."""
        from meristem.cli.library import list_command

        return run(place, as_json, lambda opened: list_command(opened, all_versions, as_json))

    @library.command(short_help="Find entries by words, by type, by what they do.")
    def search(
        words: Annotated[
            Optional[str],  # noqa: UP045
            typer.Argument(
                metavar="WORDS", help="Words of names, descriptions, functions.", show_default=False
            ),
        ] = None,
        type_: Annotated[
            Optional[str],  # noqa: UP045
            typer.Option("--type", metavar="TYPE", help="Such as 'list[int] -> int'.", show_default=False),
        ] = None,
        examples: Annotated[
            Optional[Path],  # noqa: UP045
            typer.Option(
                metavar="FILE", help="Examples: entries that answer all of them.", show_default=False
            ),
        ] = None,
        limit: Annotated[int, typer.Option(metavar="N", help="The most that are shown.")] = 20,
        place: Place = None,
        as_json: AsJson = False,
        debug: Debug = False,
    ) -> int:
        """Find entries that fit all that is asked, the best first."""
        from meristem.cli.library import search_command

        return run(
            place, as_json, lambda opened: search_command(opened, words, type_, examples, limit, as_json)
        )

    @library.command(short_help="All that is known of an entry.")
    def show(
        name: Name,
        source: Annotated[bool, typer.Option("--source", help="Only the program, as Python.")] = False,
        out: Annotated[
            Optional[Path],  # noqa: UP045
            typer.Option(
                "--out", "-o", metavar="FILE", help="Write its model to a file.", show_default=False
            ),
        ] = None,
        place: Place = None,
        as_json: AsJson = False,
        debug: Debug = False,
    ) -> int:
        """Show an entry: its program, scores, where it comes from, what used it."""
        from meristem.cli.library import show_command

        return run(place, as_json, lambda opened: show_command(opened, name, source, out, as_json))

    @library.command(short_help="What differs between two entries.")
    def diff(
        one: Name,
        other: Annotated[
            Optional[str],  # noqa: UP045
            typer.Argument(
                metavar="OTHER", help="Another entry. [default: the version before]", show_default=False
            ),
        ] = None,
        place: Place = None,
        debug: Debug = False,
    ) -> int:
        """Show what differs between two entries, or between the last two versions of one."""
        from meristem.cli.library import diff_command

        return run(place, False, lambda opened: diff_command(opened, one, other))

    @library.command(short_help="The versions of an entry.")
    def history(name: Name, place: Place = None, as_json: AsJson = False, debug: Debug = False) -> int:
        """Show all versions of an entry, the oldest first."""
        from meristem.cli.library import history_command

        return run(place, as_json, lambda opened: history_command(opened, name, as_json))

    @library.command(short_help="Take out entries.")
    def rm(
        names: Annotated[
            list[str],
            typer.Argument(metavar="NAME...", help="Entries: name, or name@version.", show_default=False),
        ],
        place: Place = None,
        debug: Debug = False,
    ) -> int:
        """Take out entries, or single versions. What was made with them goes on as it is."""
        from meristem.cli.library import rm_command

        return run(place, False, lambda opened: rm_command(opened, names))

    @library.command(short_help="Forget what was removed.")
    def gc(place: Place = None, as_json: AsJson = False, debug: Debug = False) -> int:
        """Forget what was removed, and delete what nothing speaks of."""
        from meristem.cli.library import gc_command

        return run(place, as_json, lambda opened: gc_command(opened, as_json))

    @library.command(short_help="Check everything.")
    def fsck(
        quick: Annotated[
            bool, typer.Option("--quick", help="Files and hashes only: no program is run.")
        ] = False,
        place: Place = None,
        as_json: AsJson = False,
        debug: Debug = False,
    ) -> int:
        """Check files, hashes, types, and that entries do what they claim. Exit code 1 where something is damaged."""
        from meristem.cli.library import fsck_command

        return run(place, as_json, lambda opened: fsck_command(opened, quick, as_json))

    @library.command(short_help="Keep the model of a file.")
    def add(
        model: Annotated[
            Path, typer.Argument(metavar="MODEL", help="A model file (.mst).", show_default=False)
        ],
        name: Annotated[
            Optional[str],  # noqa: UP045
            typer.Option(metavar="NAME", help="Its name. [default: the model's]", show_default=False),
        ] = None,
        licence: Annotated[
            Optional[str],  # noqa: UP045
            typer.Option(metavar="TEXT", help="Under which others may use it.", show_default=False),
        ] = None,
        place: Place = None,
        debug: Debug = False,
    ) -> int:
        """Keep the model of a file."""
        from meristem.cli.library import add_command

        return run(place, False, lambda opened: add_command(opened, model, name, licence))

    @library.command("export", short_help="Write entries to one file, a pack.")
    def export_(
        path: Annotated[
            Path, typer.Argument(metavar="FILE", help="Where the pack goes.", show_default=False)
        ],
        names: Annotated[
            Optional[list[str]],  # noqa: UP045
            typer.Argument(metavar="NAME...", help="Entries. [default: all]", show_default=False),
        ] = None,
        versions: Annotated[
            bool, typer.Option("--history", help="All versions, not only the newest.")
        ] = False,
        place: Place = None,
        debug: Debug = False,
    ) -> int:
        """Write entries to one file, a pack, with a hash over every byte."""
        from meristem.cli.library import export_command

        return run(place, False, lambda opened: export_command(opened, path, names or [], versions))

    @library.command("import", short_help="Take in the entries of a pack.")
    def import_(
        path: Annotated[Path, typer.Argument(metavar="FILE", help="A pack.", show_default=False)],
        place: Place = None,
        as_json: AsJson = False,
        debug: Debug = False,
    ) -> int:
        """Take in the entries of a pack, each tried first. Exit code 1 where some were refused."""
        from meristem.cli.library import import_command

        return run(place, as_json, lambda opened: import_command(opened, path, as_json))

    @library.command(short_help="Draw the shelves.")
    def picture(
        path: Annotated[Path, typer.Argument(metavar="FILE", help="Where the SVG goes.", show_default=False)],
        place: Place = None,
        debug: Debug = False,
    ) -> int:
        """Draw the library: its two shelves, algorithmic and geometric, and who uses what."""
        from meristem.cli.library import picture_command

        return run(place, False, lambda opened: picture_command(opened, path))


__all__ = ["add_library"]
