"""Settings from a file, the environment and options; what is wrong is said in one line."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from onceproof.implementation.platform.config import RULES, ConfigError, PlatformConfig, load_config


def test_options_override_the_environment_and_that_the_file(tmp_path: Path) -> None:
    path = tmp_path / "platform.yaml"
    path.write_text("port: 1\nagents: 3\nlease_seconds: 4\nkeys: {AK: {secret: sesame-open, user: u}}\n")
    environment = {"ONCEPROOF_PORT": "2", "ONCEPROOF_AGENTS": "4", "HOME": "/root"}
    config = load_config(path, environment, {"port": 3, "slots": None})
    assert (config.port, config.agents, config.lease_seconds, config.slots) == (3, 4, 4.0, 4)
    assert config.keys == {"AK": {"secret": "sesame-open", "user": "u"}}


def test_empty_config_file_gives_all_defaults(tmp_path: Path) -> None:
    path = tmp_path / "platform.yaml"
    path.write_text("")
    assert load_config(path) == PlatformConfig()


def test_config_is_the_same_in_the_processes() -> None:
    config = PlatformConfig(keys={"AK": {"secret": "s"}}, limits={"f": {"timeout_seconds": 2}}, on_agent_loss="rerun")
    assert PlatformConfig.from_json(config.to_json()) == config
    assert (config.limit("f", "timeout_seconds"), config.limit("g", "timeout_seconds")) == (2.0, 60.0)
    assert not config.core_settings().mechanisms.fail_on_agent_loss


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\nprot: 1", "2: prot: no setting is called 'prot'; did you mean port?"),
        ("port: high", "1: port: found 'high', expected a whole number from 0 to 65535"),
        ("port: 70000", "1: port: found 70000, expected a whole number from 0 to 65535"),
        ("agents: 0", "1: agents: found 0, expected a whole number from 1 to 64"),
        ("agents: true", "1: agents: found True, expected a whole number"),
        ("host: ''", "1: host: found '', expected a host name or an address"),
        ("lease_seconds: .nan", "1: lease_seconds: found nan, expected a number above 0 and at most 86400"),
        ("lease_seconds: .inf", "1: lease_seconds: found inf, expected a number above 0"),
        ("drain_seconds: -1", "1: drain_seconds: found -1, expected a number from 0 to 604800"),
        ("on_agent_loss: weep", "expected one of fail, rerun"),
        ("duplicate_status: 418", "expected one of 400, 409"),
        ("store: mysql://x", "expected `sqlite` or a URL that begins with postgresql://"),
        ("keys: [1]", "1: keys: found [1], expected names with values"),
        ("keys:\n  AK:\n    user: u", "2: keys.AK: there is no `secret`"),
        ("keys: {AK: {secret: ''}}", "1: keys.AK.secret: found 0 characters, expected a secret of at least 8"),
        ("keys: {AK: {secret: 12345678}}", "keys.AK.secret: found a int, expected a secret of at least 8"),
        ("keys: {AK: {secret: short}}", "keys.AK.secret: found 5 characters"),
        (
            "keys: {AK: {secret: long-enough, usr: u}}",
            "keys.AK.usr: no part of a key is called 'usr'; did you mean user",
        ),
        ("keys: {AK: {secret: long-enough, user: a b}}", "keys.AK.user: found 'a b', expected a user"),
        ("keys: {'a:b': {secret: long-enough}}", "keys.a:b: found 'a:b', expected an access key"),
        ("limits:\n  f:\n    timeout_seconds: fast", "3: limits.f.timeout_seconds: found 'fast', expected a number"),
        ("limits:\n  f:\n    timeout: 1", "3: limits.f.timeout: no limit is called 'timeout'; did you mean timeout_s"),
        ("limits: {../f: {memory_mb: 64}}", "limits.../f: found '../f', expected a function"),
        ("limits: {f: 3}", "limits.f: found 3, expected names with values (timeout_seconds, memory_mb"),
        ("without: renewal", "without: mechanisms can be switched off only under the gate of a replay"),
        ("port: 1\nport: 2", "2: port is there twice"),
        ("limits: {f: &a {memory_mb: 64}, g: *a}", "aliases (*name) are not supported"),
        ("? [a, b]\n: 1", "1: a key must be a text"),
        ("data: x\nport: 0x", "2: port: found '0x', expected a whole number"),
        ("port: 1\nprobe_log: 2026-02-30", "2: the value cannot be read: day is out of range"),
        ("- 1", "1: found a list, expected settings as `name: value` lines"),
        ("port: 1\na: [", "2: not YAML"),
        ("port: !!python/object:os.system 1", "1: not YAML: could not determine a constructor"),
        ("[" * 5000, "1: nested too deeply"),
    ],
)
def test_wrong_config_is_reported_in_one_line(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "platform.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        load_config(path)
    assert line in str(error.value) and "\n" not in str(error.value)
    assert str(path) in str(error.value) or text.startswith("without")
    assert "long-enough" not in str(error.value), "no message quotes a secret"


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.dates(), st.binary(max_size=4)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SCALARS, inner, max_size=3), max_leaves=8
)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(key=st.sampled_from(sorted(RULES)), value=VALUES)
def test_any_value_of_any_setting_is_taken_or_refused_in_one_line(key: str, value: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "platform.yaml"
        path.write_text(yaml.safe_dump({key: value}), encoding="utf-8")
        try:
            config = load_config(path)
        except ConfigError as error:
            assert "\n" not in str(error) and str(error).startswith((str(path), "without"))
        else:
            assert PlatformConfig.from_json(config.to_json()) == config


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(text=st.text(alphabet="ab:-{}[]&*!?|>#'\"\\%@ \n\t1.~", max_size=30))
def test_any_file_is_taken_or_refused_in_one_line(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "platform.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            load_config(path)
        except ConfigError as error:
            assert "\n" not in str(error) and str(path) in str(error)


@pytest.mark.parametrize("text", ["many", "", "1e3", "0", "-1", "9" * 30])
def test_wrong_number_in_a_variable_is_reported(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^ONCEPROOF_SLOTS: found .*, expected a whole number from 1 to 1024$"):
        load_config(None, {"ONCEPROOF_SLOTS": text})


def test_variables_that_no_setting_has_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"ONCEPROOF_PROT: no .* did you mean ONCEPROOF_PORT\?"):
        load_config(None, {"ONCEPROOF_PROT": "1"})
    with pytest.raises(ConfigError, match="ONCEPROOF_port"):
        load_config(None, {"ONCEPROOF_port": "1"})
    with pytest.raises(ConfigError, match="ONCEPROOF_KEYS: it is not JSON"):
        load_config(None, {"ONCEPROOF_KEYS": "{"})
    with pytest.raises(ConfigError, match=r"ONCEPROOF_KEYS.AK.secret: found 1 characters"):
        load_config(None, {"ONCEPROOF_KEYS": '{"AK": {"secret": "s"}}'})
    assert load_config(None, {"ONCEPROOF_ENDPOINT": "http://x", "ONCEPROOF_DUPLICATE_STATUS": "409"}) == PlatformConfig(
        duplicate_status=409
    )


def test_missing_config_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_config(tmp_path / "none.yaml")
