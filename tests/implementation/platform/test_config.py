"""Settings from a file, the environment and options; what is wrong is said in one line."""

from pathlib import Path

import pytest

from onceproof.implementation.platform.config import ConfigError, PlatformConfig, load_config


def test_options_override_the_environment_and_that_the_file(tmp_path: Path) -> None:
    path = tmp_path / "platform.yaml"
    path.write_text("port: 1\nagents: 3\nlease_seconds: 4\nkeys: {AK: {secret: s, user: u}}\n")
    environment = {"ONCEPROOF_PORT": "2", "ONCEPROOF_AGENTS": "4", "HOME": "/root"}
    config = load_config(path, environment, {"port": 3, "slots": None})
    assert (config.port, config.agents, config.lease_seconds, config.slots) == (3, 4, 4.0, 4)
    assert config.keys == {"AK": {"secret": "s", "user": "u"}}


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
        ("prot: 1", "no setting is called 'prot'; did you mean port?"),
        ("port: high", "port: found 'high', expected a whole number"),
        ("port: 70000", "port: found 70000, expected a port from 0 to 65535"),
        ("agents: 0", "agents: found 0, expected a number above 0"),
        ("agents: true", "agents: found True, expected a whole number"),
        ("on_agent_loss: weep", "expected one of fail, rerun"),
        ("duplicate_status: 418", "expected one of 400, 409"),
        ("store: mysql://x", "expected `sqlite` or a URL that begins with postgresql://"),
        ("keys: [1]", "keys: found [1], expected names with values"),
        ("- 1", "found list, expected settings as `name: value` lines"),
        ("a: [", "not YAML"),
    ],
)
def test_wrong_config_is_reported_in_one_line(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "platform.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        load_config(path)
    assert line in str(error.value) and str(path) in str(error.value) and "\n" not in str(error.value)


def test_missing_config_file_and_wrong_variable_are_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_config(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="ONCEPROOF_SLOTS: found 'many', expected a whole number"):
        load_config(None, {"ONCEPROOF_SLOTS": "many"})
