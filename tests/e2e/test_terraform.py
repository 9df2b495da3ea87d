"""A genuine Terraform with its genuine provider awscc: plan, apply, no drift, change, destroy.

Runs where BITTERN_TERRAFORM_BIN names a Terraform, and BITTERN_AWSCC_BIN the provider's binary
(``terraform-provider-awscc``). Nothing is fetched: Terraform is told where the provider is.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bittern.testing.program import Program

TERRAFORM = os.environ.get("BITTERN_TERRAFORM_BIN")
AWSCC = os.environ.get("BITTERN_AWSCC_BIN")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not (TERRAFORM and AWSCC), reason="no Terraform with the provider awscc is named"
    ),
]

NO_CHANGES, CHANGES = 0, 2
"""Of ``plan -detailed-exitcode``."""
KEY = "00112233445566778899AABBCCDDEEFF"

SITE = """
terraform {
  required_providers {
    awscc = { source = "hashicorp/awscc" }
  }
}

variable "endpoint" { type = string }
variable "access_key" { type = string }
variable "secret_key" { type = string }

provider "awscc" {
  region                    = "eu-west-1"
  access_key                = var.access_key
  secret_key                = var.secret_key
  skip_medatadata_api_check = true
  endpoints = {
    cloudcontrolapi = var.endpoint
    sts             = var.endpoint
  }
}

locals {
  role = "arn:aws:iam::000000000000:role/bittern"
}

resource "awscc_iotwireless_destination" "plant" {
  name            = "plant"
  description     = "DESCRIPTION"
  expression      = "plant/up"
  expression_type = "MqttTopic"
  role_arn        = local.role
  tags            = [{ key = "team", value = "water" }, { key = "site", value = "SITE" }]
}

resource "awscc_iotwireless_device_profile" "meter" {
  name = "meter"
  lo_ra_wan = {
    mac_version               = "1.0.3"
    reg_params_revision       = "Regional Parameters v1.0.3rA"
    rf_region                 = "EU868"
    supports_join             = true
    supports_class_c          = true
    factory_preset_freqs_list = [8681000, 8683000]
  }
  tags = [{ key = "kind", value = "DESCRIPTION" }]
}

resource "awscc_iotwireless_destination" "silent" {
  name            = "silent"
  description     = ""
  expression      = "silent"
  expression_type = "RuleName"
  role_arn        = local.role
}

resource "awscc_iotwireless_service_profile" "best" {
  name      = "best"
  lo_ra_wan = { add_gw_metadata = true }
}

resource "awscc_iotwireless_wireless_device" "otaa" {
  type             = "LoRaWAN"
  name             = "meter DESCRIPTION"
  destination_name = awscc_iotwireless_destination.plant.name
  positioning      = "Enabled"
  lo_ra_wan = {
    dev_eui            = "70b3d57ed0000001"
    device_profile_id  = awscc_iotwireless_device_profile.meter.device_profile_id
    service_profile_id = awscc_iotwireless_service_profile.best.service_profile_id
    otaa_v10_x         = { app_key = "KEY", app_eui = "70b3d57ed0ffff01" }
    f_ports            = { applications = [{ f_port = 5, type = "SemtechGeolocation" }] }
  }
  tags = [{ key = "floor", value = "1" }]
}

resource "awscc_iotwireless_wireless_device" "abp" {
  type             = "LoRaWAN"
  description      = "DESCRIPTION"
  destination_name = awscc_iotwireless_destination.plant.name
  lo_ra_wan = {
    dev_eui            = "70b3d57ed0000002"
    device_profile_id  = awscc_iotwireless_device_profile.meter.device_profile_id
    service_profile_id = awscc_iotwireless_service_profile.best.service_profile_id
    abp_v10_x = {
      dev_addr     = "26000001"
      session_keys = { nwk_s_key = "KEY", app_s_key = "KEY" }
    }
  }
}

resource "awscc_iotwireless_wireless_gateway" "roof" {
  name        = "roof"
  description = "DESCRIPTION"
  lo_ra_wan   = { gateway_eui = "00-80-00-00-A0-00-00-01", rf_region = "EU868" }
  tags        = [{ key = "site", value = "north" }]
}

resource "awscc_iotwireless_task_definition" "fix" {
  name              = "fix"
  auto_create_tasks = false
  update = {
    update_data_source = "s3://bucket/fw.bin"
    update_data_role   = local.role
    lo_ra_wan = {
      update_signature = "bm8gc2lnbmF0dXJl"
      sig_key_crc      = 3434210794
      current_version  = { package_version = "1.0.0", model = "linux", station = "2.0.5" }
      update_version   = { package_version = "1.0.1", model = "linux", station = "2.0.6" }
    }
  }
}

resource "awscc_iotwireless_multicast_group" "lamps" {
  name                      = "lamps"
  description               = "DESCRIPTION"
  lo_ra_wan                 = { rf_region = "EU868", dl_class = "ClassC" }
  associate_wireless_device = awscc_iotwireless_wireless_device.otaa.wireless_device_id
}

resource "awscc_iotwireless_fuota_task" "fix" {
  name                  = "fix"
  description           = "DESCRIPTION"
  lo_ra_wan             = { rf_region = "EU868" }
  firmware_update_image = "s3://bucket/image.bin"
  firmware_update_role  = local.role
}

resource "awscc_iotwireless_network_analyzer_configuration" "watch" {
  name          = "watch"
  description   = "DESCRIPTION"
  trace_content = { wireless_device_frame_info = "ENABLED", log_level = "INFO" }
  wireless_devices = [
    awscc_iotwireless_wireless_device.abp.wireless_device_id,
    awscc_iotwireless_wireless_device.otaa.wireless_device_id,
  ]
  wireless_gateways = [awscc_iotwireless_wireless_gateway.roof.wireless_gateway_id]
}
""".replace("KEY", KEY)

RESOURCES = SITE.count("\nresource ")


class Terraform:
    """In a folder of its own, with the provider that the environment names."""

    def __init__(self, folder: Path, endpoint: str, key: dict[str, str]) -> None:
        assert AWSCC is not None
        self.folder = folder
        folder.mkdir()
        override = f'dev_overrides {{ "hashicorp/awscc" = "{Path(AWSCC).parent}" }}'
        (folder / "rc").write_text(f"provider_installation {{ {override} }}")
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "TF_CLI_CONFIG_FILE": str(folder / "rc"),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "TF_VAR_endpoint": endpoint,
            "TF_VAR_access_key": key["id"],
            "TF_VAR_secret_key": key["secret_access_key"],
        }

    def write(self, description: str, site: str = "north") -> None:
        text = SITE.replace("DESCRIPTION", description).replace("SITE", site)
        (self.folder / "main.tf").write_text(text)

    async def run(self, *arguments: str, expected: int = 0) -> str:
        """What it prints; AssertionError with all of it unless it ends as expected."""
        assert TERRAFORM is not None
        process = await asyncio.create_subprocess_exec(
            TERRAFORM,
            *arguments,
            cwd=self.folder,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output = (await process.communicate())[0].decode()
        assert process.returncode == expected, output
        return output

    async def plan(self, expected: int) -> str:
        return await self.run("plan", "-no-color", "-detailed-exitcode", expected=expected)

    async def apply(self) -> str:
        return await self.run("apply", "-no-color", "-auto-approve")

    async def state(self) -> dict[str, Any]:
        """Attributes by address."""
        shown = json.loads(await self.run("show", "-json"))
        resources = shown["values"]["root_module"]["resources"]
        return {one["address"]: one["values"] for one in resources}


@pytest_asyncio.fixture
async def terraform(tmp_path: Path) -> AsyncIterator[Terraform]:
    program = Program(tmp_path)
    async with program.serving() as ready:
        key = await program.json("access-key", "add", "--policy", "administrator")
        yield Terraform(tmp_path / "site", ready["api"], key)


async def test_a_site_is_built_changed_and_taken_down(terraform: Terraform) -> None:
    terraform.write("first")
    applied = await terraform.apply()
    assert f"Resources: {RESOURCES} added, 0 changed, 0 destroyed" in applied
    state = await terraform.state()
    group = state["awscc_iotwireless_multicast_group.lamps"]
    assert group["lo_ra_wan"]["number_of_devices_requested"] == 1
    await terraform.plan(NO_CHANGES)

    terraform.write("second", site="south")
    planned = await terraform.plan(CHANGES)
    assert "0 to add, 8 to change, 0 to destroy" in planned
    await terraform.apply()
    await terraform.plan(NO_CHANGES)
    changed = await terraform.state()
    assert changed["awscc_iotwireless_wireless_device.otaa"]["name"] == "meter second"
    plant = changed["awscc_iotwireless_destination.plant"]
    assert plant["description"] == "second"
    assert {tag["key"]: tag["value"] for tag in plant["tags"]} == {"team": "water", "site": "south"}
    assert {name: one["id"] for name, one in changed.items()} == {
        name: one["id"] for name, one in state.items()
    }

    destroyed = await terraform.run("destroy", "-no-color", "-auto-approve")
    assert f"Resources: {RESOURCES} destroyed" in destroyed


async def test_what_stands_already_is_imported(terraform: Terraform) -> None:
    terraform.write("first")
    await terraform.apply()
    name = "awscc_iotwireless_wireless_device.otaa"
    identifier = (await terraform.state())[name]["id"]
    await terraform.run("state", "rm", "-no-color", name)
    await terraform.run("import", "-no-color", name, identifier)
    await terraform.plan(NO_CHANGES)


async def test_what_cannot_change_is_told_so(terraform: Terraform) -> None:
    terraform.write("first")
    await terraform.apply()
    main = terraform.folder / "main.tf"
    main.write_text(main.read_text().replace(f'app_key = "{KEY}"', f'app_key = "{"F" * 32}"'))
    refused = await terraform.run("apply", "-no-color", "-auto-approve", expected=1)
    assert "[/LoRaWAN/OtaaV10x/AppKey] cannot be changed" in " ".join(refused.split())
    assert "ErrorCode: NotUpdatable" in " ".join(refused.replace("\u2502", " ").split())
    name = "awscc_iotwireless_wireless_device.otaa"
    await terraform.run("apply", "-no-color", "-auto-approve", f"-replace={name}")
    await terraform.plan(NO_CHANGES)
