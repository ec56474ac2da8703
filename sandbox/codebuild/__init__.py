"""CodeBuild: projects, and builds that really run their buildspec as processes."""

from sandbox.codebuild.service import CodeBuild

__all__ = ["CodeBuild"]
