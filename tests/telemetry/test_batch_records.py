"""Records of batches: found by id and by content, whatever else lies in their folder."""

import itertools
from pathlib import Path

import pytest
from msgspec.structs import replace

from mmai.errors import StorageError, UsageError
from mmai.telemetry.batches import BatchRecords, demand_id
from mmai.values.batch import BatchLine, BatchRecord
from mmai.values.model import Price


def a_record(batch_id: str = "batch_1", *, key: str = "k" * 64, submitted_at: float = 1.0, closed: bool = False) -> BatchRecord:
    return BatchRecord(
        id=batch_id,
        key=key,
        provider="openai",
        endpoint="https://api.openai.com/v1",
        model="m",
        submitted_at=submitted_at,
        lines=(BatchLine(name="line-1", number=1, id=7, carried={"topic": ["sky", None]}),),
        source="prompts.jsonl",
        price=Price(input_usd_per_mtok=1.0),
        closed=closed,
    )


@pytest.fixture
def records(tmp_path: Path) -> BatchRecords:
    return BatchRecords(tmp_path / "batches")


def test_a_record_comes_back_as_it_was_kept(records: BatchRecords) -> None:
    records.save(a_record())
    assert records.find("batch_1") == a_record()


@pytest.mark.parametrize("batch_id", ["../../etc/passwd", "a/b", "x" * 5_000, "ä"])
def test_any_id_can_be_kept(records: BatchRecords, batch_id: str) -> None:
    records.save(a_record(batch_id))
    assert records.find(batch_id) == a_record(batch_id)


def test_the_latest_open_batch_of_the_same_content_is_found(records: BatchRecords) -> None:
    records.save(a_record("old", submitted_at=1.0))
    records.save(a_record("new", submitted_at=2.0))
    records.save(a_record("collected", submitted_at=3.0, closed=True))
    records.save(a_record("other", submitted_at=4.0, key="o" * 64))
    found = records.open("k" * 64)
    assert found is not None
    assert found.id == "new"
    records.save(replace(found, closed=True))
    assert [(left := records.open("k" * 64)) and left.id] == ["old"]


def test_nothing_is_found_where_nothing_is(records: BatchRecords) -> None:
    assert (records.find("batch_1"), records.open("k" * 64)) == (None, None)


def test_a_damaged_record_counts_as_gone(records: BatchRecords, tmp_path: Path) -> None:
    records.save(a_record())
    (path,) = (tmp_path / "batches").glob("*.json")
    path.write_bytes(path.read_bytes()[:-9])
    assert (records.find("batch_1"), records.open("k" * 64)) == (None, None)


def test_the_same_content_is_submitted_by_one_process_at_a_time(records: BatchRecords, monkeypatch: pytest.MonkeyPatch) -> None:
    with records.submitting("k" * 64), records.submitting("o" * 64):
        pass
    monkeypatch.setattr("time.monotonic", itertools.count(0.0, 100.0).__next__)
    with records.submitting("k" * 64), pytest.raises(StorageError, match="another mmai has held"), records.submitting("k" * 64):
        pass


@pytest.mark.parametrize("text", ["", "a b", "../x", "a/b", "ä"])
def test_what_cannot_be_an_id_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not the id of a batch"):
        demand_id(text)


@pytest.mark.parametrize("text", ["batch_abc123", "msgbatch_01Hkc", "batch_bGl0ZWxsbQ=="])
def test_ids_of_providers_and_of_proxies_are_ids(text: str) -> None:
    assert demand_id(text) == text
