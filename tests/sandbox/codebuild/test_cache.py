"""Caches in S3 (User Guide, "Amazon S3 caching" and "Buildspec syntax", cache)."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def s3(shared_client):
    shared_client("s3").create_bucket(Bucket="caches")
    return shared_client("s3")


@pytest.fixture
def cached(project, finished, printed):
    """cached("key: …", say="text", **StartBuild) -> what the build found in the cache; it leaves `text` there."""

    def run(cache="", say="new", paths="[kept, /root/below]", status="SUCCEEDED", **params):
        buildspec = f"""
version: 0.2
phases:
  build:
    commands:
      - cat kept/file.txt ~/below/file.txt 2>/dev/null || echo nothing
      - mkdir -p kept ~/below && echo {say} >kept/file.txt && echo {say} >~/below/file.txt
      - ln -sfn /nowhere kept/link
      - {"true" if status == "SUCCEEDED" else "false"}
cache:
  paths: {paths}
  {cache}
"""
        build = finished(buildspecOverride=buildspec, **params)
        assert build["buildStatus"] == status
        return printed(build)

    project("version: 0.2\nphases: {build: {commands: [ls]}}\n", cache={"type": "S3", "location": "caches/some/prefix"})
    return run


def test_a_cache_without_a_key_is_updated_by_each_build(sandbox, s3, cached):
    assert cached(say="one") == ["nothing"]
    assert cached(say="two") == ["one", "one"]
    assert cached() == ["two", "two"]
    (item,) = s3.list_objects_v2(Bucket="caches")["Contents"]
    assert item["Key"].startswith("some/prefix/")
    (put, *_) = (call for call in sandbox.calls if call["operation"] == "PutObject")
    assert ":assumed-role/build-role/AWSCodeBuild-" in put["role"]


def test_a_copy_under_a_key_is_made_once_and_found_exactly(s3, cached):
    assert cached("key: k-$CODEBUILD_INITIATOR", say="one") == ["nothing"]
    assert cached("key: k-$CODEBUILD_INITIATOR", say="two") == ["one", "one"]
    assert cached("key: k-developer", say="three") == ["one", "one"]
    assert cached("key: k-dev") == ["nothing"]
    assert cached("key: k-developer", paths="[kept]") == ["nothing"]  # other paths are another version


def test_fallback_keys_match_by_prefix_and_the_newest_wins(s3, cached):
    cached("key: a-1", say="one")
    cached("key: a-2", say="two")
    assert cached("key: a-3\n  fallback-keys: [b-, a-]", say="three") == ["two", "two"]
    assert cached("fallback-keys: [a-]") == ["nothing"]  # ignored without a key


def test_an_action_restores_or_saves_only(s3, cached):
    assert cached("key: k\n  action: restore") == ["nothing"]
    assert cached("key: k\n  action: save", say="one") == ["nothing"]
    assert cached("key: k\n  action: save") == ["nothing"]
    assert cached("key: k\n  action: restore") == ["one", "one"]


def test_a_key_of_the_hash_of_files(s3, cached, shared_client):
    first = cached("key: k-$(codebuild-hash-files '*.none')", say="one")
    assert (first, cached("key: k-$(codebuild-hash-files '*.none')")) == (["nothing"], ["one", "one"])


def test_a_namespace_is_shared_by_projects(s3, cached, project):
    project("version: 0.2\nphases: {build: {commands: [ls]}}\n", name="other")
    shared = {"cacheOverride": {"type": "S3", "location": "caches", "cacheNamespace": "all"}}
    assert cached("key: k", say="one", **shared) == ["nothing"]
    assert cached("key: k", project_name="other", **shared) == ["one", "one"]
    own = {"cacheOverride": {"type": "S3", "location": "caches"}}
    assert cached("key: k", **own) == ["nothing"]
    assert cached("key: k", project_name="other", **own) == ["nothing"]


def test_a_failed_build_saves_nothing_and_a_cache_out_of_reach_fails_nothing(sandbox, s3, cached):
    cached(status="FAILED")
    assert cached() == ["nothing"]
    sandbox.set_faults([{"service": "s3", "operation": "HeadObject", "fault": "access-denied", "times": None}])
    assert cached() == ["nothing"]


def test_a_build_without_a_cache_leaves_the_bucket_alone(sandbox, s3, cached):
    cached(cacheOverride={"type": "NO_CACHE"})
    assert not [call for call in sandbox.calls if call["service"] == "s3" and call["operation"] != "CreateBucket"]
