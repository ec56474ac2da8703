"""Intrinsic functions, parameters, conditions and rules (User Guide, "Intrinsic function reference", "Parameters", "Rules")."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.cloudformation import parameters, template_text
from sandbox.cloudformation.conditions import Conditions, Rules
from sandbox.cloudformation.functions import UNKNOWN, Functions
from sandbox.cloudformation.references import references
from sandbox.cloudformation.template import Template
from sandbox.errors import AwsError, NotImplementedInSandbox

NAMES = {"Name": "ada", "List": ["a", "b"], "Yes": "yes", "Number": "7", "AWS::Region": "eu-west-1"}
MAPPINGS = {"Map": {"eu-west-1": {"image": "x", "list": ["p", "q"]}}}


def value(node: Any, conditions: dict[str, bool] | None = None) -> Any:
    return Functions(MAPPINGS, NAMES, conditions or {}, lambda name, attribute: f"<{name}.{attribute}>").value(node)


@pytest.mark.parametrize(
    ("yaml", "expected"),
    [
        ("!Ref Name", "ada"),
        ("!Ref List", ["a", "b"]),
        ("!Ref Bucket", "<Bucket.None>"),
        ("!GetAtt Bucket.Arn", "<Bucket.Arn>"),
        ("!GetAtt Table.Stream.Arn", "<Table.Stream.Arn>"),
        ("!GetAtt [Bucket, Arn]", "<Bucket.Arn>"),
        ('!Sub "${Name}-${AWS::Region}-${Bucket}-${Bucket.Arn}-${!Literal}"', "ada-eu-west-1-<Bucket.None>-<Bucket.Arn>-${Literal}"),
        ('!Sub ["${Other}/${Name}", {Other: !Ref Yes}]', "yes/ada"),
        ('!Join [",", [a, !Ref Name, 7]]', "a,ada,7"),
        ('!Join [":", !Ref List]', "a:b"),
        ('!Split [",", "a,b,,c"]', ["a", "b", "", "c"]),
        ('!Select [1, !Ref List]', "b"),
        ('!Select ["0", !Split ["-", "x-y"]]', "x"),
        ("!FindInMap [Map, !Ref 'AWS::Region', image]", "x"),
        ("!FindInMap [Map, eu-west-1, list]", ["p", "q"]),
        ("!Base64 ada", "YWRh"),
        ("!If [Is, yes it is, !Ref Nothing]", "yes it is"),
        ("{A: !If [IsNot, 1, !Ref 'AWS::NoValue'], B: 2}", {"B": 2}),
        ("[!If [IsNot, 1, !Ref 'AWS::NoValue'], 2]", [2]),
        ("{Version: 2012-10-17, On: true, Off: no}", {"Version": "2012-10-17", "On": True, "Off": False}),
    ],
)  # fmt: skip
def test_functions_have_the_documented_values(yaml, expected):
    node = template_text.read(f"Node: {yaml}")["Node"]
    assert value(node, {"Is": True, "IsNot": False}) == expected


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ({"Fn::Select": ["2", ["a", "b"]]}, "Fn::Select cannot select nonexistent value at index 2"),
        ({"Fn::FindInMap": ["Map", "eu-west-1", "none"]}, "Unable to get mapping for Map::eu-west-1::none"),
        ({"Fn::Join": ["a"]}, "every Fn::Join object requires two parameters"),
        ({"Fn::Sub": "${a b}"}, "must contain only alphanumeric characters"),
        ({"Fn::Join": [",", [["a"]]]}, "Fn::Join takes strings"),
    ],
)
def test_functions_refuse_in_awss_words(node, words):
    with pytest.raises(AwsError, match=words):
        checked(node)


def checked(node: Any) -> Any:
    """As a template's are: first its references, then its value."""
    list(references(node))
    return value(node)


def test_what_is_not_known_before_the_deployment_makes_all_that_is_made_of_it_unknown():
    functions = Functions({}, NAMES, {}, lambda name, attribute: UNKNOWN)
    for node in ({"Fn::Sub": "a-${Bucket.Arn}"}, {"Fn::Join": ["", ["a", {"Ref": "Bucket"}]]}, {"Fn::Base64": {"Ref": "Bucket"}},
                 {"Fn::Split": [",", {"Ref": "Bucket"}]}, {"Fn::Select": [0, {"Fn::GetAtt": ["A", "B"]}]}):  # fmt: skip
        assert functions.value(node) is UNKNOWN


@settings(max_examples=50)
@given(st.lists(st.text(string.ascii_letters + "-/ ", max_size=8), min_size=1, max_size=6))
def test_split_undoes_join(items):
    assert value({"Fn::Split": [",", {"Fn::Join": [",", items]}]}) == items


@settings(max_examples=50)
@given(st.text(string.ascii_letters + string.digits + "${}!. ", max_size=20))
def test_sub_leaves_text_without_variables_alone_and_never_fails_otherwise_than_with_a_refusal(text):
    try:
        done = value({"Fn::Sub": text})
    except AwsError:
        return
    assert ("${" in text and "}" in text) or done == text


def template(**sections: Any) -> Template:
    import json

    return Template.of(json.dumps({"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}, **sections}))


CONDITIONS = {
    "IsYes": {"Fn::Equals": [{"Ref": "Yes"}, "yes"]},
    "IsSeven": {"Fn::Equals": [{"Ref": "Number"}, 7]},
    "IsNot": {"Fn::Not": [{"Condition": "IsYes"}]},
    "Both": {"Fn::And": [{"Condition": "IsYes"}, {"Condition": "IsSeven"}]},
    "Either": {"Fn::Or": [{"Condition": "IsNot"}, {"Fn::Equals": [{"Fn::Join": ["", {"Ref": "List"}]}, "ab"]}]},
}
DECLARED = {"Yes": {"Type": "String"}, "Number": {"Type": "Number"}, "List": {"Type": "CommaDelimitedList"}}


def test_conditions():
    conditions = Conditions(template(Conditions=CONDITIONS, Parameters=DECLARED), Functions(MAPPINGS, NAMES))
    assert conditions.all() == {"IsYes": True, "IsSeven": True, "IsNot": False, "Both": True, "Either": True}


@pytest.mark.parametrize(
    ("assertion", "holds"),
    [
        ({"Fn::Contains": [["yes", "no"], {"Ref": "Yes"}]}, True),
        ({"Fn::Contains": [["no"], {"Ref": "Yes"}]}, False),
        ({"Fn::EachMemberEquals": [{"Ref": "List"}, "a"]}, False),
        ({"Fn::EachMemberIn": [{"Ref": "List"}, ["a", "b", "c"]]}, True),
        ({"Fn::EachMemberIn": [{"Ref": "List"}, ["a"]]}, False),
        ({"Fn::Not": [{"Fn::Equals": [{"Ref": "Number"}, "7"]}]}, False),
    ],
)
def test_rules_refuse_with_their_description(assertion, holds):
    rules: dict[str, Any] = {"Rule": {"Assertions": [{"Assert": assertion, "AssertDescription": "be reasonable"}]}}
    check = Rules(template(Parameters=DECLARED, Rules=rules), Functions({}, NAMES)).check
    if holds:
        check()
    else:
        with pytest.raises(AwsError, match="Rule: be reasonable"):
            check()
    rules["Rule"]["RuleCondition"] = {"Fn::Equals": ["a", "b"]}
    Rules(template(Parameters=DECLARED, Rules=rules), Functions({}, NAMES)).check()


def parameter(declaration: dict[str, Any], given: str | None) -> parameters.Parameter:
    entries = [] if given is None else [{"ParameterKey": "P", "ParameterValue": given}]
    return parameters.resolve(template(Parameters={"P": declaration}), entries, None, lambda service: None)["P"]


def test_parameters_have_the_values_of_their_types():
    assert parameter({"Type": "String", "Default": True}, None).value == "true"
    assert parameter({"Type": "Number"}, "3").value == "3"
    assert parameter({"Type": "CommaDelimitedList"}, "a, b,c").value == ["a", "b", "c"]
    assert parameter({"Type": "CommaDelimitedList"}, "").value == [""]
    assert parameter({"Type": "String", "NoEcho": True}, "secret").shown == "****"


@pytest.mark.parametrize(
    ("declaration", "given", "words"),
    [
        ({"Type": "String"}, None, "Parameters: [P] must have values"),
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, "abc1", "Parameter 'P' must match pattern [a-z]+"),
        (
            {"Type": "String", "AllowedPattern": "[a-z]+", "ConstraintDescription": "letters"},
            "1",
            "Parameter P failed to satisfy constraint: letters",
        ),
        ({"Type": "String", "AllowedValues": ["a", "b"]}, "c", "Parameter 'P' must be one of AllowedValues: [a, b]"),
        ({"Type": "String", "MinLength": 3}, "ab", "Parameter 'P' must contain at least 3 characters"),
        ({"Type": "String", "MaxLength": "3"}, "abcd", "Parameter 'P' must contain at most 3 characters"),
        ({"Type": "Number", "MinValue": 3}, "2", "Parameter 'P' must be a number not less than 3"),
        ({"Type": "Number", "MaxValue": 3}, "4", "Parameter 'P' must be a number not greater than 3"),
        ({"Type": "Number"}, "x", "Parameter 'P' must be a number."),
        ({"Type": "Text"}, "x", "Unrecognized parameter type: Text"),
    ],
)
def test_parameters_are_refused_in_awss_words(declaration, given, words):
    with pytest.raises(AwsError) as caught:
        parameter(declaration, given)
    assert words in caught.value.message


def test_parameter_types_that_are_not_modelled_are_refused_as_such():
    with pytest.raises(NotImplementedInSandbox):
        parameter({"Type": "AWS::EC2::KeyPair::KeyName"}, "x")
