"""What the sandbox's CloudFormation knows of a type is what AWS's schema of it has."""

from __future__ import annotations

import pytest

from sandbox.cloudformation.schemas import create_only, read_only, schema_of
from sandbox.cloudformation.types import HANDLERS

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", sorted(HANDLERS))
def test_a_handler_knows_only_what_awss_schema_of_its_type_has(kind):
    handler, schema = HANDLERS[kind], schema_of(kind, "us-east-1")
    assert set(handler.handled) <= set(schema["properties"])
    assert set(schema.get("required", [])) <= set(handler.handled)
    assert handler.name is None or handler.name in create_only(kind, "us-east-1")
    documented = {
        "AWS::SSM::Parameter": {"Type", "Value"},
        "AWS::SQS::Queue": {"QueueName"},
        "AWS::SNS::Topic": {"TopicName"},
    }
    assert set(handler.attributes) <= read_only(kind, "us-east-1") | documented.get(kind, set())
