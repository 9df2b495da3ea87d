from __future__ import annotations

from bittern.store.notes import Note
from bittern.store.records import DEFAULT_ACCOUNT
from bittern.types import Instant


def test_first_command_that_adds_makes_the_data_directory(bittern) -> None:
    done = bittern.done("destination", "add", "plant", "--topic", "plant/up")
    assert f"new data directory: {bittern.data_dir}" in done.stderr
    names = [one["name"] for one in bittern.done("destination", "list", "--json").json]
    assert names == ["default", "plant"]


def test_added_destination_is_in_the_store(bittern) -> None:
    bittern.done("destination", "add", "plant", "--topic", "plant/up", "--description", "ours")
    (found,) = [
        one
        for one in bittern.stored(lambda store: store.destinations(DEFAULT_ACCOUNT))
        if one.name == "plant"
    ]
    assert (found.expression_type, found.expression) == ("MqttTopic", "plant/up")
    assert found.description == "ours"


def test_list_is_a_table_and_json(bittern) -> None:
    bittern.done("destination", "add", "plant", "--topic", "plant/up")
    lines = bittern.done("destination", "list").stdout.splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["NAME", "TYPE", "EXPRESSION"],
        ["default", "MqttTopic", "bittern/uplink"],
        ["plant", "MqttTopic", "plant/up"],
    ]
    (_, plant) = bittern.done("destination", "list", "--json").json
    assert plant["expression"] == "plant/up"


def test_second_destination_of_a_name_is_refused(bittern) -> None:
    bittern.done("destination", "add", "plant", "--topic", "a")
    done = bittern("destination", "add", "plant", "--topic", "b")
    assert done.exit_code == 1
    assert done.stderr == "bittern: destination plant exists already\n"


def test_topic_with_a_wildcard_is_wrong_usage(bittern) -> None:
    done = bittern("destination", "add", "plant", "--topic", "plant/#")
    assert done.exit_code == 2
    assert "has a wildcard" in done.stderr
    assert not bittern.data_dir.exists()


def test_destination_in_use_stays(bittern) -> None:
    bittern.done("destination", "add", "plant", "--topic", "a")
    key = "00" * 16
    bittern.done("device", "add", "70b3d57ed0000001", "--app-key", key, "--destination", "plant")
    done = bittern("destination", "remove", "plant")
    assert done.exit_code == 1
    assert "plant" in done.stderr
    bittern.done("device", "remove", "70b3d57ed0000001")
    bittern.done("destination", "remove", "plant")


def test_listing_where_nothing_is_says_how_to_begin(bittern) -> None:
    done = bittern("destination", "list")
    assert done.exit_code == 1
    assert f"nothing of bittern in {bittern.data_dir}" in done.stderr
    assert not bittern.data_dir.exists()


def test_a_destination_may_name_a_rule(bittern) -> None:
    done = bittern.done("destination", "add", "plant", "--rule", "to_lake")
    assert "destination plant added: rule to_lake" in done.stderr
    (_, plant) = bittern.done("destination", "list", "--json").json
    assert (plant["expression_type"], plant["expression"]) == ("RuleName", "to_lake")
    assert bittern("destination", "add", "other").exit_code == 2
    assert bittern("destination", "add", "other", "--rule", "a", "--topic", "b").exit_code == 2


def test_a_name_that_no_arn_can_have_is_wrong_usage(bittern) -> None:
    refused = bittern("destination", "add", "my plant", "--topic", "a")
    assert refused.exit_code == 2
    assert "letters, digits" in refused.stderr


def test_tags_of_a_removed_destination_are_not_those_of_the_next(bittern) -> None:
    async def tagged(store) -> None:
        name, at = "Destination/plant", Instant(0)
        await store.put_notes(Note(kind="tags", name=name, at=at, body='{"a":"b"}'))

    bittern.done("destination", "add", "plant", "--topic", "a")
    bittern.stored(tagged)
    bittern.done("destination", "remove", "plant")
    left = bittern.stored(lambda store: store.note(DEFAULT_ACCOUNT, "tags", "Destination/plant"))
    assert left is None
